"""Documents of the shapes that the public YAML test suite has, and of those that hurt parsers.

Each tells whether it is a valid training; none is a valid sweep. What the format allows and this
project refuses, such as an alias, is refused wherever it stands.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A document, and whether it is a valid configuration of a training."""

    name: str
    content: bytes
    valid: bool = False


def _shapes(valid: bool, **texts: str) -> list[Shape]:
    return [Shape(name, text.encode(), valid) for name, text in texts.items()]


def _bomb(depth: int, width: int) -> str:
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, depth)]
    return "\n".join([*lines, f"seed: *a{depth - 1}", ""])


def _merge_bomb(depth: int) -> str:
    lines = ["m0: &m0 {seed: 1}"]
    lines += [f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 9)}]}}" for i in range(1, depth)]
    return "\n".join([*lines, f"<<: *m{depth - 1}", ""])


_NUMBERS = (
    "optimizer.learning_rate",
    "optimizer.regularization",
    "model.temperature",
    "model.weight_scale",
    "model.weight_seed",
    "seed",
)
_VALID = _shapes(
    valid=True,
    plain="seed: 1\n",
    flow="{seed: 1, optimizer: {momentum: 0.9}}\n",
    json='{"seed": 1, "data": {"dir": "a\\u00e9\\/b"}}',
    quoted_keys="'seed': 1\n\"data\": {'dir': \"x\"}\n",
    explicit_key="? seed\n: 1\n",
    explicit_document="---\nseed: 1\n...\n",
    directive="%YAML 1.2\n---\nseed: 1\n",
    comments="# one\nseed: 1 # two\n\n  # three\n",
    no_last_newline="seed: 1",
    carriage_returns="seed: 1\r\ndata:\r\n  dir: x\r\n",
    literal_of_one_line="data:\n  dir: |-\n    my data\n",
    folded="data:\n  dir: >-\n    my\n    data\n",
    plain_of_two_lines="data:\n  dir: my\n    data\n",
    quoted_of_two_lines='data:\n  dir: "my\n    data"\n',
    escaped_line_break='data:\n  dir: "my\\\n    data"\n',
    flow_over_lines="optimizer: {\n  momentum: 0.5,\n  schedule: {\n  kind: cosine},\n}\n",
    trailing_comma="optimizer: {momentum: 0.5,}\n",
    exponent_without_dot="optimizer: {learning_rate: 1e-3}\n",
    empty_section_of_braces="data: {}\n",
    null_for_null="data: {train_size: ~}\n",
    text_that_looks_like_a_date="data: {dir: 2001-12-14}\n",
    text_in_base_60="data: {dir: 12:30:45}\n",
    text_in_base_8="data: {dir: 0o17}\n",
    text_that_looks_like_a_number="data: {dir: '1e3'}\n",
    text_that_says_null="data: {dir: 'null'}\n",
    many_decimals="optimizer: {learning_rate: 0.12345678901234567}\n",
    text_with_leading_zero="data: {dir: 010}\n",
    unicode="data: {dir: données/画像}\n",
    long_text=f"data: {{dir: {'x' * 100_000}}}\n",
    long_comment=f"# {'x' * 200_000}\nseed: 1\n",
)

_REFUSED = _shapes(
    valid=False,
    empty="",
    only_comments="# nothing\n",
    only_a_marker="---\n",
    text="hello",
    number="3",
    null="null",
    sequence="- seed: 1\n",
    anchor="seed: &a 1\n",
    anchor_on_mapping="&root\nseed: 1\n",
    alias="data: &a {dir: x}\nmodel: *a\n",
    alias_where_null_may_stand="data: {train_size: *nowhere}\n",
    undefined_alias="seed: *nowhere\n",
    alias_of_itself="&a [*a]\n",
    alias_as_key="&a seed: 1\n*a : 2\n",
    merge="<<: {seed: 1}\n",
    merge_of_alias="data: &a {dir: x}\nmodel: {<<: *a}\n",
    merge_of_list="<<: [{seed: 1}, {seed: 2}]\n",
    tag_of_text="seed: !!str 1\n",
    tag_of_integer="seed: !!int '1'\n",
    tag_of_nobody="seed: !mine 1\n",
    tag_of_uri="seed: !<tag:yaml.org,2002:int> 1\n",
    tag_shorthand="%TAG !e! tag:example.com,2000:\n---\nseed: !e!x 1\n",
    tag_undefined="seed: !e!x 1\n",
    binary="data: {dir: !!binary aGVsbG8=}\n",
    set="data: !!set {dir}\n",
    ordered="!!omap [seed: 1]\n",
    pairs="!!pairs [seed: 1, seed: 2]\n",
    timestamp_tag="seed: !!timestamp 2001-12-14\n",
    python_object="seed: !!python/object/apply:os.system ['true']\n",
    python_name="seed: !!python/name:os.system\n",
    python_module="seed: !!python/module:os\n",
    python_new="!!python/object/new:subprocess.Popen [['true']]\n",
    python_tuple="seed: !!python/tuple [1]\n",
    two_documents="seed: 1\n---\nseed: 2\n",
    many_documents="--- 1\n" * 20_000,
    document_after_end="seed: 1\n...\nseed: 2\n",
    directive_twice="%YAML 1.1\n%YAML 1.1\n---\nseed: 1\n",
    directive_of_the_future="%YAML 3.0\n---\nseed: 1\n",
    directive_enormous="%YAML 1.99999999999999999999999\n---\nseed: 1\n",
    duplicate_key="seed: 1\nseed: 1\n",
    duplicate_in_flow="{data: {dir: a, dir: a}}\n",
    duplicate_quoted='seed: 1\n"seed": 2\n',
    complex_key="? [a, b]\n: 1\n",
    mapping_as_key="? {a: b}\n: 1\n",
    null_key="~: 1\n",
    empty_key=": 1\n",
    number_key="1: 1\n",
    boolean_key="true: 1\n",
    tab_indentation="data:\n\tdir: x\n",
    tab_in_flow="data: {\n\t\tdir: 3}\n",
    wrong_indentation="data:\n    dir: x\n  train_size: 3\n",
    unclosed_flow="data: {dir: x\n",
    unclosed_quote="data: {dir: 'x\n",
    extra_bracket="data: ]\n",
    missing_space="seed:1\n",
    value_twice="seed: 1 2: 3\n",
    block_in_flow="data: {|\n  dir: x\n}\n",
    reserved_at="seed: @1\n",
    reserved_backtick="seed: `1`\n",
    bad_escape='data: {dir: "\\q"}\n',
    escape_beyond_unicode='data: {dir: "\\UFFFFFFFF"}\n',
    escape_of_surrogate='data: {dir: "\\ud800"}\n',
    escape_of_control='data: {dir: "\\e[2J\\a\\0"}\n',
    escape_of_newline='data: {dir: "a\\nb"}\n',
    literal_of_two_lines="data:\n  dir: |\n    a\n    b\n",
    literal_with_bad_indentation="data:\n  dir: |99\n    a\n",
    octal="seed: 0o17\n",
    old_octal="seed: 017\n",
    hexadecimal="seed: 0xFF\n",
    base_60="seed: 190:20:30\n",
    underscores="seed: 1_000\n",
    infinity="optimizer: {learning_rate: .inf}\n",
    minus_infinity="optimizer: {learning_rate: -.inf}\n",
    not_a_number="optimizer: {learning_rate: .nan}\n",
    overflow="optimizer: {learning_rate: 1e999}\n",
    enormous_integer=f"seed: {'9' * 200_000}\n",
    enormous_exponent=f"optimizer: {{momentum: 1e{'9' * 100_000}}}\n",
    enormous_fraction=f"seed: 0.{'0' * 200_000}1\n",
    yes_for_true="optimizer: {nesterov: yes}\n",
    quoted_number='seed: "1"\n',
    empty_section="data:\n",
    next_line="seed: 1\x85data: 2\n",
    control_character="data: {dir: a\x07b}\n",
    nul="seed: 1\0\n",
    delete="data: {dir: a\x7fb}\n",
    deep_flow_sequence="[" * 10_000 + "]" * 10_000,
    deep_flow_mapping="{a: " * 10_000 + "1" + "}" * 10_000,
    deep_block_sequence="- " * 10_000 + "1\n",
    deep_block_mapping="".join(" " * i + "a:\n" for i in range(600)),
    deep_explicit_keys="? " * 10_000 + "1\n",
    deep_mixed="[{a: " * 10_000,
    deep_in_place="data: {dir: " + "[" * 10_000 + "]" * 10_000 + "}\n",
    deep_dotted_key="? " + ".".join("a" * 60_000) + "\n: 1\n",
    alias_bomb=_bomb(10, 9),
    alias_bomb_of_many_levels=_bomb(2000, 2),
    merge_bomb=_merge_bomb(40),
    many_anchors="seed: [" + "&a 1, " * 30_000 + "]\n",
    many_tags="seed: [" + "!t 1, " * 30_000 + "]\n",
    many_duplicates="seed: 1\n" * 25_000,
    many_keys="".join(f"k{i}: 1\n" for i in range(20_000)),
    many_similar_keys="".join(f"optimizer.learning_rat{i}: 1\n" for i in range(7_000)),
    many_items="seed: [" + "1," * 100_000 + "]\n",
    many_braces="seed: [" + "{}," * 60_000 + "]\n",
    many_colons=":" * 200_000,
    many_dashes="-" * 200_000,
    many_question_marks="?" * 200_000,
    many_spaces=" " * 200_000,
    many_newlines="\n" * 200_000,
    many_quotes="'" * 200_001,
    many_percent_signs="%" * 200_000,
    long_key=f"{'k' * 100_000}: 1\n",
    long_plain_line="a " * 100_000,
    long_tag=f"seed: !{'t' * 100_000} 1\n",
    long_alias=f"seed: *{'t' * 100_000}\n",
    long_anchor=f"seed: &{'t' * 100_000} 1\n",
    too_large="seed: 1\n" + "#" * (8 << 20),
    too_many_sweep_keys="base: demo\nparameters:\n"
    + "".join(f" k{i}: [1]\n" for i in range(20_000)),
    wide_sweep="base: demo\nparameters:\n"
    + "".join(f" k{i}: [{','.join(map(str, range(1000)))}]\n" for i in range(50)),
    wrong_sweep="base: demo\nparameters:\n"
    + "".join(f" {_NUMBERS[0]}{i}: [{','.join(map(str, range(1000)))}]\n" for i in range(5)),
    crowded_sweep="base: demo\nsearch: {random: {trials: 3}}\nparameters:\n"
    + "".join(f" {key}: [{','.join(map(str, range(1, 1001)))}]\n" for key in _NUMBERS),
    deep_sweep="base: demo\nparameters:\n ? " + ".".join("a" * 60_000) + "\n : [1]\n",
    endless_grid="base: demo\nparameters:\n"
    + "".join(f" seed{i}: {{low: 0, high: 9, num: 1000}}\n" for i in range(5000)),
    large_grid="base: demo\nparameters: {seed: {low: 0, high: 999, num: 1000}, "
    "model.weight_seed: {low: 0, high: 999, num: 1000}}\n",
    base_of_itself="base: document.yaml\nparameters: {seed: [1]}\n",
    base_of_a_pipe="base: pipe.yaml\nparameters: {seed: [1]}\n",
    base_without_end="base: /dev/zero\nparameters: {seed: [1]}\n",
)

_BYTES = [
    Shape("byte order mark", b"\xef\xbb\xbfseed: 1\n", valid=True),
    Shape("UTF-16, little end first", "seed: 1\n".encode("utf-16"), valid=True),
    Shape("UTF-16, big end first", "\ufeffseed: 1\n".encode("utf-16-be"), valid=True),
    Shape("half a character of UTF-16", "seed: 1\n".encode("utf-16")[:-1]),
    Shape("UTF-16 without a mark", "seed: 1\n".encode("utf-16-le")),
    Shape("UTF-32", "seed: 1\n".encode("utf-32")),
    Shape("Latin-1", "data: {dir: donn\xe9es}\n".encode("latin-1")),
    Shape("overlong UTF-8", b"data: {dir: \xc0\xaf}\n"),
    Shape("a surrogate in UTF-8", b"data: {dir: \xed\xa0\x80}\n"),
    Shape("half a character", b"data: {dir: \xe2\x82"),
    Shape("zero bytes", bytes(1000)),
    Shape("a pickle", b"\x80\x04\x95\x10\x00\x00\x00"),
    Shape("a compressed file", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"),
]

SHAPES = (*_VALID, *_REFUSED, *_BYTES)
