"""Which nodes of which grammar stand for functions, conditions, calls and marks. Data of the tree-sitter grammars."""

from typing import NamedTuple


class Grammar(NamedTuple):
    """Node kinds by what they mean to us; all names are the grammar's own."""

    functions: tuple[str, ...]
    containers: tuple[str, ...]
    conditionals: tuple[str, ...]
    calls: tuple[str, ...]
    marks: tuple[str, ...] = ()
    returns: tuple[str, ...] = ("return_statement",)
    joins: tuple[str, ...] = ("binary_expression",)
    handlers: tuple[str, ...] = ()

    @property
    def outlined(self) -> tuple[str, ...]:
        """The kinds that the outline of a file is made of."""
        return (*self.functions, *self.containers, *self.marks)

    @property
    def all(self) -> tuple[str, ...]:
        """Every kind, in a fixed order."""
        return (
            *self.functions,
            *self.containers,
            *self.conditionals,
            *self.calls,
            *self.marks,
            *self.returns,
            *self.joins,
            *self.handlers,
        )


_SCRIPT = Grammar(
    functions=(
        "function_declaration", "method_definition", "function_expression", "arrow_function",
        "generator_function_declaration",
    ),
    containers=("class_declaration", "class"),
    conditionals=("if_statement", "ternary_expression", "while_statement"),
    calls=("call_expression", "new_expression"),
    marks=("decorator",),
    handlers=("catch_clause",),
)  # fmt: skip

GRAMMARS = {
    "python": Grammar(
        functions=("function_definition",),
        containers=("class_definition",),
        conditionals=("if_statement", "elif_clause", "conditional_expression", "while_statement", "assert_statement"),
        calls=("call",),
        marks=("decorator",),
        joins=("boolean_operator",),
        handlers=("except_clause",),
    ),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "go": Grammar(
        functions=("function_declaration", "method_declaration"),
        containers=(),
        conditionals=("if_statement", "expression_case"),
        calls=("call_expression",),
    ),
    "java": Grammar(
        functions=("method_declaration", "constructor_declaration"),
        containers=("class_declaration", "interface_declaration", "enum_declaration", "record_declaration"),
        conditionals=("if_statement", "ternary_expression", "while_statement"),
        calls=("method_invocation", "object_creation_expression"),
        marks=("marker_annotation", "annotation"),
        handlers=("catch_clause",),
    ),
    "ruby": Grammar(
        functions=("method", "singleton_method"),
        containers=("class", "module"),
        conditionals=("if", "unless", "if_modifier", "unless_modifier", "elsif", "conditional", "while"),
        calls=("call",),
        returns=("return",),
        joins=("binary",),
        handlers=("rescue", "rescue_modifier"),
    ),
    "php": Grammar(
        functions=("function_definition", "method_declaration"),
        containers=("class_declaration", "trait_declaration", "interface_declaration"),
        conditionals=("if_statement", "else_if_clause", "conditional_expression", "while_statement"),
        calls=(
            "function_call_expression", "member_call_expression", "nullsafe_member_call_expression",
            "scoped_call_expression",
        ),
        marks=("attribute",),
        handlers=("catch_clause",),
    ),
    "rust": Grammar(
        functions=("function_item",),
        containers=("impl_item", "mod_item"),
        conditionals=("if_expression", "while_expression"),
        calls=("call_expression", "macro_invocation"),
        marks=("attribute_item",),
        returns=("return_expression",),
    ),
    "c": Grammar(
        functions=("function_definition",),
        containers=(),
        conditionals=("if_statement", "conditional_expression", "while_statement"),
        calls=("call_expression",),
    ),
    "cpp": Grammar(
        functions=("function_definition",),
        containers=("class_specifier", "namespace_definition"),
        conditionals=("if_statement", "conditional_expression", "while_statement"),
        calls=("call_expression",),
        handlers=("catch_clause",),
    ),
    "csharp": Grammar(
        functions=("method_declaration", "constructor_declaration", "local_function_statement"),
        containers=("class_declaration", "struct_declaration", "interface_declaration"),
        conditionals=("if_statement", "conditional_expression", "while_statement"),
        calls=("invocation_expression", "object_creation_expression"),
        marks=("attribute",),
        handlers=("catch_clause",),
    ),
    "kotlin": Grammar(
        functions=("function_declaration",),
        containers=("class_declaration", "object_declaration"),
        conditionals=("if_expression", "while_statement"),
        calls=("call_expression",),
        marks=("annotation",),
        returns=("jump_expression",),
        joins=("conjunction_expression", "disjunction_expression"),
        handlers=("catch_block",),
    ),
}  # fmt: skip
