"""The conditions of ``when:``: a small, typed, total language. Its grammar is on one page: docs/expressions.md."""

from crmsync.rules.expressions.compiler import Expression, compile_expression
from crmsync.rules.expressions.functions import FUNCTIONS
from crmsync.rules.expressions.lexer import ExpressionError
from crmsync.rules.expressions.scope import ROOTS, Names, Scope, build_names

__all__ = [
    "FUNCTIONS",
    "ROOTS",
    "Expression",
    "ExpressionError",
    "Names",
    "Scope",
    "build_names",
    "compile_expression",
]
