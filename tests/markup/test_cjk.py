"""Emphasis beside Chinese, Japanese and Korean text, and line ends inside it (FORMAT F59)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labdeck.markup.blocks import joins

Check = Callable[..., None]

# What stands inside the marks; at each end a letter, or punctuation of some kind.
INSIDE = {
    "letters": "注意",
    "full-width at the end": "注意：",
    "full-width at the beginning": "：注意",
    "full-width brackets": "（注意）",
    "corner brackets": "「重要」",
    "curly quotes": "“引号”",
    "straight quotes": '"引号"',
    "ASCII brackets": "f(x)",
    "ASCII punctuation at the end": "A.",
    "percent sign": "12.5%",
    "currency": "¥100",
    "circled number": "④",
    "dash": "——",
    "dots": "……",
    "ideographic full stop": "完成。",
    "exclamation mark": "快！",
    "emoji": "🚀",
}
# What stands outside, before and after.
OUTSIDE = {
    "Chinese": ("前文", "后文"),
    "Japanese": ("これは", "です"),
    "katakana": ("データ", "セット"),
    "Korean": ("이것은", "입니다"),
    "full-width punctuation": ("，", "。"),
    "brackets": ("（", "）"),
    "rare character": ("𠮷", "𠮷"),
    "full-width letters": ("Ａ", "Ｂ"),
    "half-width katakana": ("ｱ", "ｲ"),
}
MARKS = {"*": "em", "**": "strong", "~~": "del"}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("inside", INSIDE)
def test_emphasis_beside_cjk_text(
    assert_renders: Check, inside: str, outside: str, mark: str
) -> None:
    text, (before, after), tag = INSIDE[inside], OUTSIDE[outside], MARKS[mark]
    shown = text.replace("&", "&amp;")
    marked, html = f"{mark}{text}{mark}", f"<{tag}>{shown}</{tag}>"
    assert_renders(f"{before}{marked}{after}", f"<p>{before}{html}{after}</p>")
    assert_renders(f"{marked}{after}", f"<p>{html}{after}</p>")
    assert_renders(f"{before}{marked}", f"<p>{before}{html}</p>")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        # a border inside that is itself Markdown
        ("**[链接](a.html)**后文", '<strong><a href="a.html">链接</a></strong>后文'),
        ("前文**`代码`**后文", "前文<strong><code>代码</code></strong>后文"),
        ("前文**![图](a.png)**后文", '前文<strong><img alt="图" src="a.png" /></strong>后文'),
        ("前文**<b>a</b>**后文", "前文<strong><b>a</b></strong>后文"),
        ("패키지는 **`pip install`**로", "패키지는 <strong><code>pip install</code></strong>로"),
        # a border outside that is itself Markdown
        ("`代码`**“引号”**`代码`", "<code>代码</code><strong>“引号”</strong><code>代码</code>"),
        ("[链接](a)**（注）**", '<a href="a">链接</a><strong>（注）</strong>'),
        # Latin and digits on one side
        ("GPU**（显卡）**很快", "GPU<strong>（显卡）</strong>很快"),
        ("**注意：**GPU", "<strong>注意：</strong>GPU"),
        ("第3**（三）**章", "第3<strong>（三）</strong>章"),
        ("共**100**个", "共<strong>100</strong>个"),
        # nested
        ("**很*“好”*的**后文", "<strong>很<em>“好”</em>的</strong>后文"),
        ("***“引号”***后文", "<em><strong>“引号”</strong></em>后文"),
        ("~~**（旧）**~~新", "<del><strong>（旧）</strong></del>新"),
        ("**~~（旧）~~新。**后文", "<strong><del>（旧）</del>新。</strong>后文"),
        ("**甲。***乙。*丙", "<strong>甲。</strong><em>乙。</em>丙"),
        ("**甲：**乙，**丙：**丁", "<strong>甲：</strong>乙，<strong>丙：</strong>丁"),
        # a character with a variation selector
        ("葛\U000e0100**(a)**城", "葛\U000e0100<strong>(a)</strong>城"),
        # one tilde
        ("前~（删）~后", "前<del>（删）</del>后"),
        # escapes and spaces still mean what they mean
        ("前文 ** 注意 ** 后文", "前文 ** 注意 ** 后文"),
        ("前文\\*\\*注意\\*\\*后文", "前文**注意**后文"),
        ("**注意：**", "<strong>注意：</strong>"),
        ("2**3 和 4**5", "2<strong>3 和 4</strong>5"),
    ],
)
def test_emphasis_beside_other_markdown(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("_强调_", "<em>强调</em>"),
        ("，_强调_。", "，<em>强调</em>。"),
        ("__“引号”__", "<strong>“引号”</strong>"),
        ("（_a_）", "（<em>a</em>）"),
        ("变量_名_称", "变量_名_称"),
        ("前文_强调_后文", "前文_强调_后文"),
        ("_注意：_这里", "_注意：_这里"),
        ("模型_large_v2", "模型_large_v2"),
    ],
)
def test_underscores_inside_words_stay_underscores(
    assert_renders: Check, markdown: str, html: str
) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ('**"quoted"**word', '**"quoted"**word'),
        ("word**(b)**", "word**(b)**"),
        ("a**b**c", "a<strong>b</strong>c"),
        ("a*(b)*c", "a*(b)*c"),
    ],
)
def test_beside_latin_text_commonmark_stands(
    assert_renders: Check, markdown: str, html: str
) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


# Line ends


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("自注意\n力", "自注意力"),
        ("甲，\n乙", "甲，乙"),
        ("甲\n（乙）", "甲（乙）"),
        ("カタ\nカナ", "カタカナ"),
        ("甲\n  乙", "甲乙"),
        ("他说\n“好”", "他说“好”"),
        ("“好”\n他说", "“好”他说"),
        ("然后——\n没有", "然后——没有"),
        ("**甲**\n乙", "<strong>甲</strong>乙"),
        ("甲\n**乙**", "甲<strong>乙</strong>"),
        ("**甲\n乙**", "<strong>甲乙</strong>"),
        ("*甲*\n**乙**", "<em>甲</em><strong>乙</strong>"),
        ("[甲](a)\n乙", '<a href="a">甲</a>乙'),
        ("甲\n[乙](a)", '甲<a href="a">乙</a>'),
        ("甲\n`乙`", "甲<code>乙</code>"),
        ("`甲`\n乙", "<code>甲</code>乙"),
        ("甲\n<b>乙</b>", "甲<b>乙</b>"),
        ("~~甲~~\n乙", "<del>甲</del>乙"),
    ],
)
def test_a_line_end_between_han_characters_is_no_gap(
    assert_renders: Check, markdown: str, html: str
) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("甲\na", "甲\na"),
        ("a\n甲", "a\n甲"),
        ("a\nb", "a\nb"),
        ("“a”\nb", "“a”\nb"),
        ("甲\n`a`", "甲\n<code>a</code>"),
        ("甲\n**a**", "甲\n<strong>a</strong>"),
        ("한국어\n문장", "한국어\n문장"),
        ("甲\n한", "甲\n한"),
        ("甲  \n乙", "甲<br />\n乙"),
        ("甲\n<br>乙", "甲\n<br>乙"),
    ],
)
def test_other_line_ends_stay(assert_renders: Check, markdown: str, html: str) -> None:
    assert_renders(markdown, f"<p>{html}</p>")


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("甲", "乙", True),
        ("”", "乙", True),
        ("甲", "—", True),
        ("—", "—", False),
        ("가", "甲", False),
    ],
)
def test_which_neighbours_join(before: str, after: str, joined: bool) -> None:
    assert joins(before, after) is joined
