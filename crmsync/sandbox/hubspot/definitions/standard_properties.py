"""The properties every new portal has, as far as a sync needs them.

Names, types and labels follow HubSpot's default-property articles (knowledge.hubspot.com: "HubSpot's default contact
properties", and the same for companies and deals) and the recorded property lists. One property per line:
``name | type/fieldType | flags | label | options``; flags: ``r`` read-only value, ``h`` hidden, ``u`` unique,
``o`` owner picker. An option is ``value`` or ``value=label``.
"""
# ruff: noqa: E501 - a table, one property per line

from __future__ import annotations

COMMON = """
hs_object_id | number/number | r | Record ID
hs_createdate | datetime/date | r | Object create date/time
hs_lastmodifieddate | datetime/date | r | Object last modified date/time
hs_object_source | string/text | rh | Record creation source
hs_object_source_id | string/text | rh | Record creation source ID
hs_object_source_label | enumeration/select | r | Record source | INTEGRATION=Integration,CRM_UI=CRM UI,IMPORT=Import,MERGE=Merge
hs_object_source_user_id | number/number | rh | Record creation source user ID
hs_created_by_user_id | number/number | r | Created by user ID
hs_updated_by_user_id | number/number | r | Updated by user ID
hs_merged_object_ids | enumeration/checkbox | rh | Merged object IDs
hs_unique_creation_key | string/text | rhu | Unique creation key
hs_all_owner_ids | enumeration/checkbox | rho | All owner IDs
hs_all_team_ids | enumeration/checkbox | rh | All team IDs
hs_user_ids_of_all_owners | enumeration/checkbox | rh | User IDs of all owners
hs_was_imported | bool/booleancheckbox | rh | Performed in an import
hs_read_only | bool/booleancheckbox | rh | Read only object
hubspot_owner_id | enumeration/select | o | Owner
hubspot_owner_assigneddate | datetime/date | r | Owner assigned date
hubspot_team_id | enumeration/select | r | HubSpot team
"""

_LIFECYCLE = (
    "subscriber=Subscriber,lead=Lead,marketingqualifiedlead=Marketing Qualified Lead,"
    "salesqualifiedlead=Sales Qualified Lead,opportunity=Opportunity,customer=Customer,evangelist=Evangelist,other=Other"
)
_LEAD_STATUS = (
    "NEW=New,OPEN=Open,IN_PROGRESS=In Progress,OPEN_DEAL=Open Deal,UNQUALIFIED=Unqualified,"
    "ATTEMPTED_TO_CONTACT=Attempted to Contact,CONNECTED=Connected,BAD_TIMING=Bad Timing"
)
_SOURCE = (
    "ORGANIC_SEARCH=Organic Search,PAID_SEARCH=Paid Search,EMAIL_MARKETING=Email Marketing,SOCIAL_MEDIA=Organic Social,"
    "REFERRALS=Referrals,OTHER_CAMPAIGNS=Other Campaigns,DIRECT_TRAFFIC=Direct Traffic,OFFLINE=Offline Sources,"
    "PAID_SOCIAL=Paid Social"
)
_INDUSTRY = (
    "ACCOUNTING=Accounting,AIRLINES_AVIATION=Airlines/Aviation,AUTOMOTIVE=Automotive,BANKING=Banking,"
    "BIOTECHNOLOGY=Biotechnology,CHEMICALS=Chemicals,COMPUTER_HARDWARE=Computer Hardware,COMPUTER_SOFTWARE=Computer Software,"
    "CONSTRUCTION=Construction,CONSUMER_GOODS=Consumer Goods,EDUCATION_MANAGEMENT=Education Management,"
    "ENTERTAINMENT=Entertainment,FINANCIAL_SERVICES=Financial Services,GOVERNMENT_ADMINISTRATION=Government Administration,"
    "HOSPITAL_HEALTH_CARE=Hospital & Health Care,INFORMATION_TECHNOLOGY_AND_SERVICES=Information Technology and Services,"
    "INSURANCE=Insurance,INTERNET=Internet,MACHINERY=Machinery,MANAGEMENT_CONSULTING=Management Consulting,"
    "MARKETING_AND_ADVERTISING=Marketing and Advertising,MEDICAL_DEVICES=Medical Devices,"
    "MECHANICAL_OR_INDUSTRIAL_ENGINEERING=Mechanical or Industrial Engineering,PHARMACEUTICALS=Pharmaceuticals,"
    "REAL_ESTATE=Real Estate,RETAIL=Retail,TELECOMMUNICATIONS=Telecommunications,UTILITIES=Utilities,WHOLESALE=Wholesale"
)
_CURRENCY = (
    "USD=USD,EUR=EUR,GBP=GBP,CHF=CHF,JPY=JPY,CAD=CAD,AUD=AUD,SEK=SEK,NOK=NOK,DKK=DKK,PLN=PLN,INR=INR,BRL=BRL,SGD=SGD,"
    "KRW=KRW,JOD=JOD"
)
_FORECAST = (
    "OMIT=Not forecasted,PIPELINE=Pipeline,BEST_CASE=Best case,MOST_LIKELY=Commit,COMMIT=Commit,CLOSED=Closed won"
)

_ACTIVITY = """
notes_last_contacted | datetime/date | r | Last Contacted
notes_last_updated | datetime/date | r | Last Activity Date
notes_next_activity_date | datetime/date | r | Next Activity Date
num_contacted_notes | number/number | r | Number of times contacted
num_notes | number/number | r | Number of Sales Activities

"""

CONTACT = (
    f"""
email | string/text | u | Email
firstname | string/text | | First Name
lastname | string/text | | Last Name
jobtitle | string/text | | Job Title
phone | string/phonenumber | | Phone Number
mobilephone | string/phonenumber | | Mobile Phone Number
fax | string/text | | Fax Number
company | string/text | | Company Name
website | string/text | | Website URL
address | string/text | | Street Address
city | string/text | | City
state | string/text | | State/Region
zip | string/text | | Postal Code
country | string/text | | Country/Region
industry | string/text | | Industry
annualrevenue | string/text | | Annual Revenue
numemployees | string/text | | Number of Employees
salutation | string/text | | Salutation
message | string/textarea | | Message
hs_language | enumeration/select | | Preferred language | en=English,de=German,fr=French,es=Spanish,pt=Portuguese,ja=Japanese
associatedcompanyid | number/number | h | Primary Associated Company ID
createdate | datetime/date | r | Create Date
lastmodifieddate | datetime/date | r | Last Modified Date
closedate | datetime/date | | Close Date
first_conversion_date | datetime/date | r | First Conversion Date
lifecyclestage | enumeration/radio | | Lifecycle Stage | {_LIFECYCLE}
hs_lead_status | enumeration/radio | | Lead Status | {_LEAD_STATUS}
hs_analytics_source | enumeration/select | | Original Traffic Source | {_SOURCE}
hs_latest_source | enumeration/select | r | Latest Traffic Source | {_SOURCE}
hs_additional_emails | enumeration/checkbox | r | Additional email addresses
hs_all_contact_vids | enumeration/checkbox | rh | Merged vids
hs_calculated_merged_vids | enumeration/checkbox | rh | Merged vids with timestamps
hs_email_domain | string/text | r | Email Domain
hs_email_optout | bool/booleancheckbox | r | Unsubscribed from all email
hs_full_name_or_email | string/text | rh | Full name or email
hs_is_contact | bool/booleancheckbox | rh | Is a contact
hs_is_unworked | bool/booleancheckbox | r | Contact unworked
hs_lifecyclestage_lead_date | datetime/date | r | Became a Lead Date
hs_pipeline | enumeration/select | h | Pipeline
hs_registered_member | number/number | rh | Registered member
hs_associated_target_accounts | number/calculation_rollup | rh | Associated Target Accounts
hubspotscore | number/calculation_score | r | HubSpot Score
hs_persona | enumeration/radio | | Persona
num_associated_deals | number/number | r | Number of Associated Deals
num_conversion_events | number/number | r | Number of Form Submissions
recent_deal_amount | number/number | r | Recent Deal Amount
total_revenue | number/number | r | Total Revenue
"""
    + _ACTIVITY
)

COMPANY = (
    f"""
name | string/text | | Company name
domain | string/text | | Company Domain Name
website | string/text | | Website URL
phone | string/phonenumber | | Phone Number
address | string/text | | Street Address
address2 | string/text | | Street Address 2
city | string/text | | City
state | string/text | | State/Region
zip | string/text | | Postal Code
country | string/text | | Country/Region
hs_country_code | string/text | | Country/Region Code
timezone | string/text | | Time Zone
industry | enumeration/select | | Industry | {_INDUSTRY}
type | enumeration/radio | | Type | PROSPECT=Prospect,PARTNER=Partner,RESELLER=Reseller,VENDOR=Vendor,OTHER=Other
description | string/textarea | | Description
about_us | string/textarea | | About Us
annualrevenue | number/number | | Annual Revenue
numberofemployees | number/number | | Number of Employees
founded_year | string/text | | Year Founded
is_public | bool/booleancheckbox | | Is Public
linkedin_company_page | string/text | | LinkedIn Company Page
twitterhandle | string/text | | Twitter Handle
facebookfans | number/number | | Facebook Fans
lifecyclestage | enumeration/radio | | Lifecycle Stage | {_LIFECYCLE}
hs_lead_status | enumeration/radio | | Lead Status | {_LEAD_STATUS}
hs_analytics_source | enumeration/select | r | Original Traffic Source | {_SOURCE}
createdate | datetime/date | r | Create Date
closedate | datetime/date | | Close Date
hs_additional_domains | enumeration/checkbox | r | Additional Domains
hs_parent_company_id | number/number | | Parent Company
hs_is_target_account | bool/booleancheckbox | | Target Account
hs_ideal_customer_profile | enumeration/select | | Ideal Customer Profile Tier | tier_1=Tier 1,tier_2=Tier 2,tier_3=Tier 3
num_associated_contacts | number/number | r | Number of Associated Contacts
num_associated_deals | number/number | r | Number of Associated Deals
hs_num_child_companies | number/number | r | Number of child companies
hs_num_open_deals | number/calculation_rollup | r | Number of open deals
hs_pipeline | enumeration/select | h | Pipeline
hs_target_account_probability | number/number | rh | Target Account Probability
recent_deal_amount | number/number | r | Recent Deal Amount
total_revenue | number/number | r | Total Revenue
"""
    + _ACTIVITY
)

DEAL = (
    f"""
dealname | string/text | | Deal Name
amount | number/number | | Amount
amount_in_home_currency | number/calculation_equation | r | Amount in company currency
deal_currency_code | enumeration/select | | Currency | {_CURRENCY}
dealstage | enumeration/radio | | Deal Stage
pipeline | enumeration/select | | Pipeline
dealtype | enumeration/radio | | Deal Type | newbusiness=New Business,existingbusiness=Existing Business
closedate | datetime/date | | Close Date
createdate | datetime/date | | Create Date
description | string/textarea | | Deal Description
closed_lost_reason | string/textarea | | Closed Lost Reason
closed_won_reason | string/textarea | | Closed Won Reason
hs_next_step | string/text | | Next step
hs_priority | enumeration/select | | Priority | low=Low,medium=Medium,high=High
hs_forecast_amount | number/number | r | Forecast Amount
hs_forecast_probability | number/number | | Forecast Probability
hs_manual_forecast_category | enumeration/select | | Forecast category | {_FORECAST}
hs_deal_stage_probability | number/calculation_equation | r | Deal Probability
hs_deal_stage_probability_shadow | number/number | rh | Deal stage probability shadow
hs_is_closed | bool/calculation_equation | r | Is Deal Closed?
hs_is_closed_won | bool/calculation_equation | r | Is Closed Won
hs_is_closed_lost | bool/calculation_equation | r | Is closed lost
hs_is_deal_split | bool/booleancheckbox | rh | Is Deal Split
hs_projected_amount | number/calculation_equation | r | Weighted amount
hs_projected_amount_in_home_currency | number/calculation_equation | r | Weighted amount in company currency
hs_closed_amount | number/calculation_equation | r | Closed Deal Amount
hs_closed_amount_in_home_currency | number/calculation_equation | r | Closed Deal Amount In Home Currency
hs_closed_won_date | datetime/calculation_read_time | r | Closed won date
days_to_close | number/calculation_equation | r | Days to close
hs_arr | number/number | r | Annual recurring revenue
hs_mrr | number/number | r | Monthly recurring revenue
hs_tcv | number/number | r | Total contract value
hs_acv | number/number | r | Annual contract value
hs_analytics_source | enumeration/select | r | Original Traffic Source | {_SOURCE}
hs_primary_associated_company | number/number | r | Primary Associated Company
hs_all_collaborator_owner_ids | enumeration/checkbox | o | Deal Collaborator
num_associated_contacts | number/number | r | Number of Associated Contacts
hs_num_associated_active_deal_registrations | number/calculation_rollup | rh | Number of active deal registrations
hs_num_associated_deal_registrations | number/calculation_rollup | rh | Number of deal registrations
hs_num_of_associated_line_items | number/calculation_rollup | r | Number of associated line items
"""
    + _ACTIVITY
)

TICKET = """
subject | string/text | | Ticket name
content | string/textarea | | Ticket description
createdate | datetime/date | r | Create date
hs_pipeline | enumeration/select | | Pipeline
hs_pipeline_stage | enumeration/radio | | Ticket status
hs_ticket_category | enumeration/checkbox | | Category | PRODUCT_ISSUE=Product Issue,BILLING_ISSUE=Billing issue,FEATURE_REQUEST=Feature request,GENERAL_INQUIRY=General inquiry
hs_ticket_priority | enumeration/select | | Priority | LOW=Low,MEDIUM=Medium,HIGH=High,URGENT=Urgent
hs_ticket_id | number/number | r | Ticket ID
hs_helpdesk_sort_timestamp | datetime/date | rh | Help desk sort timestamp
hs_last_message_from_visitor | bool/booleancheckbox | rh | Last message from visitor
closed_date | datetime/date | | Close date
source_type | enumeration/select | | Source | CHAT=Chat,EMAIL=Email,FORM=Form,PHONE=Phone
"""

PRODUCT = """
name | string/text | | Name
description | string/textarea | | Description
price | number/number | | Unit price
hs_sku | string/text | | SKU
hs_cost_of_goods_sold | number/number | | Unit cost
recurringbillingfrequency | enumeration/select | | Billing frequency | monthly=Monthly,quarterly=Quarterly,annually=Annually
createdate | datetime/date | r | Create Date
"""

LINE_ITEM = """
name | string/text | | Name
description | string/textarea | | Description
quantity | number/number | | Quantity
price | number/number | | Unit price
amount | number/calculation_equation | r | Net price
discount | number/number | | Unit discount
hs_product_id | number/number | | Product ID
hs_sku | string/text | | SKU
hs_line_item_currency_code | enumeration/select | | Currency
createdate | datetime/date | r | Create Date
"""

_ENGAGEMENT = """
hs_timestamp | datetime/date | | Activity date
hs_attachment_ids | enumeration/checkbox | | Attached file IDs
hs_body_preview | string/text | r | Body preview
hs_body_preview_html | string/html | rh | Body preview as HTML
hs_body_preview_is_truncated | bool/booleancheckbox | rh | Body preview is truncated
hs_engagement_source | string/text | rh | Engagement source
"""

NOTE = _ENGAGEMENT + "hs_note_body | string/html | | Note body\n"

TASK = (
    _ENGAGEMENT
    + """
hs_task_subject | string/text | | Task Title
hs_task_body | string/html | | Notes
hs_task_status | enumeration/select | | Task Status | NOT_STARTED=Not started,IN_PROGRESS=In progress,WAITING=Waiting,DEFERRED=Deferred,COMPLETED=Completed
hs_task_priority | enumeration/select | | Priority | NONE=None,LOW=Low,MEDIUM=Medium,HIGH=High
hs_task_type | enumeration/select | | Task Type | TODO=To-do,EMAIL=Email,CALL=Call,LINKED_IN=LinkedIn
hs_task_reminders | string/text | | Reminders
hs_task_completion_date | datetime/date | r | Completed at
hs_task_completion_count | number/number | rh | Completion count
hs_task_family | enumeration/select | rh | Task family | SALES=Sales,MARKETING=Marketing
hs_task_for_object_type | enumeration/select | rh | Task for object type | OWNER=Owner,TICKET=Ticket
hs_task_is_all_day | bool/booleancheckbox | rh | Is all day
hs_task_is_completed | number/number | rh | Is completed
hs_task_is_completed_call | number/number | rh | Is completed call task
hs_task_is_completed_email | number/number | rh | Is completed email task
hs_task_is_completed_linked_in | number/number | rh | Is completed LinkedIn task
hs_task_is_completed_sequence | number/number | rh | Is completed sequence task
hs_task_is_overdue | bool/calculation_equation | rh | Is overdue
hs_task_is_past_due_date | bool/calculation_equation | rh | Is past due date
hs_task_missed_due_date | bool/calculation_equation | rh | Missed due date
hs_task_missed_due_date_count | number/number | rh | Missed due date count
hs_pipeline | enumeration/select | h | Pipeline
hs_pipeline_stage | enumeration/select | h | Pipeline stage
"""
)

CALL = (
    _ENGAGEMENT
    + """
hs_call_title | string/text | | Call Title
hs_call_body | string/html | | Call notes
hs_call_duration | number/number | | Call duration
hs_call_direction | enumeration/select | | Call direction | INBOUND=Inbound,OUTBOUND=Outbound
hs_call_status | enumeration/select | | Call status | COMPLETED=Completed,NO_ANSWER=No answer,BUSY=Busy,FAILED=Failed
"""
)

MEETING = (
    _ENGAGEMENT
    + """
hs_meeting_title | string/text | | Meeting Title
hs_meeting_body | string/html | | Meeting description
hs_meeting_start_time | datetime/date | | Meeting start time
hs_meeting_end_time | datetime/date | | Meeting end time
hs_meeting_location | string/text | | Meeting location
hs_meeting_outcome | enumeration/select | | Meeting outcome | SCHEDULED=Scheduled,COMPLETED=Completed,RESCHEDULED=Rescheduled,NO_SHOW=No Show,CANCELED=Canceled
"""
)

EMAIL = (
    _ENGAGEMENT
    + """
hs_email_subject | string/text | | Email subject
hs_email_text | string/textarea | | Text body
hs_email_html | string/html | | Email body
hs_email_direction | enumeration/select | | Email direction | EMAIL=Email,INCOMING_EMAIL=Incoming email,FORWARDED_EMAIL=Forwarded email
hs_email_status | enumeration/select | | Email send status | SENT=Sent,FAILED=Failed,SCHEDULED=Scheduled,BOUNCED=Bounced
"""
)

TABLES: dict[str, tuple[str, str, str]] = {
    "0-1": ("contactinformation", "Contact Information", CONTACT),
    "0-2": ("companyinformation", "Company Information", COMPANY),
    "0-3": ("dealinformation", "Deal Information", DEAL),
    "0-5": ("ticketinformation", "Ticket Information", TICKET),
    "0-7": ("productinformation", "Product Information", PRODUCT),
    "0-8": ("lineiteminformation", "Line Item Information", LINE_ITEM),
    "0-46": ("engagement", "Note Information", NOTE),
    "0-27": ("task", "Task Information", TASK),
    "0-48": ("call", "Call Information", CALL),
    "0-47": ("meeting", "Meeting Information", MEETING),
    "0-49": ("email", "Email Information", EMAIL),
}
"""Per object type: the default property group and its table."""
