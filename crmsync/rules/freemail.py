"""Domains whose mailboxes say nothing about a company: free providers and throw-away addresses."""

_LISTED = """
    126.com 163.com 10minutemail.com aim.com aol.com att.net bigpond.com bluewin.ch btinternet.com comcast.net
    cox.net fastmail.com fastmail.fm freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com
    guerrillamail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it icloud.com
    inbox.com laposte.net libero.it live.com live.co.uk live.de live.fr mac.com mail.com mail.ru
    mailinator.com maildrop.cc me.com msn.com naver.com orange.fr outlook.com outlook.de outlook.fr pm.me
    posteo.de proton.me protonmail.com qq.com rediffmail.com rocketmail.com sbcglobal.net seznam.cz
    sharklasers.com sina.com t-online.de temp-mail.org tiscali.it trashmail.com tutanota.com verizon.net
    virgilio.it wanadoo.fr web.de wp.pl yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.in
    yahoo.it yandex.com yandex.ru yopmail.com ymail.com zoho.com
"""

FREE_MAIL_DOMAINS = frozenset(_LISTED.split())
