"""Texts for properties that hold on any string: ordinary Chinese, and everything that has ever broken a reader of text."""

from hypothesis import strategies as st

PIECES = (
    *("请把钱转到安全账户", "您的快递已到", "验证码发给我", "不要告诉任何人", "京东金条", "銀行領碼", "，", "。", "\n", "\r\n"),
    *("客服：", "A：", "[12:30] 王先生: ", "http://jd.example.com/a?b", "www.", "a.b.c.cn", "m.", "://", ".", "/"),
    *("3.5", "138-1234-5678", "１３８", "①②③", "6222**xx", "x", "*", "1,000.00", "𝟒𝟎𝟎", "Ⅷ", "½"),
    *("\u200b", "\u200d", "\ufeff", "\u202e", "\u0301\u0301\u0301", "\u3164", "\x00", "\x1b[2J", "\x85", "\u2028"),
    *("\ud83d", "\ude00", "\ufffd", "\ue000", "\ue001", "\ufdfa", "😀", "👨‍👩‍👧", "❤️", "𠮷", "Ａ", "ﬁ"),
    *("丶", "·", "★", " ", "\u3000", "\t", "'", '"', "=1+1"),
)

any_text = st.text(alphabet=st.characters(), max_size=60)  # lone surrogates included
mixed_text = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join)
flood = st.tuples(st.sampled_from(PIECES), st.integers(1, 300)).map(lambda p: p[0] * p[1])
hostile = any_text | mixed_text | flood
batches = st.lists(hostile, max_size=5)

ATTACKS = (  # units of an attack by repetition, in rooms that use regular expressions or loops
    *PIECES,
    *("a", "a.", "a-", "/a", "www.a", "a.com", "m.x", "12:30 ", "1:11\n", "客服 ", "客服1:11\n", "客服:\n", "\n "),
    *("把", "把验证码", "告诉", "不要", "请勿", "中 ", "中*"),
)
