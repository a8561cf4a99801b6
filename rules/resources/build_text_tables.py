"""Build simplified.tsv and pinyin.tsv. Run it by hand when opencc or pypinyin change.

``python rules/resources/build_text_tables.py`` needs the dev dependencies.
"""

import unicodedata
from collections import Counter, defaultdict
from importlib.metadata import version
from pathlib import Path

import opencc
from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

FOLDER = Path(__file__).parent
HAN = [
    chr(point)
    for start, end in ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x323B0))
    for point in range(start, end)
]
# Variants that opencc leaves alone because each is a character of its own, but
# that the same person's papers and records mix freely.
VARIANTS = (
    "钟锺 升昇陞 于於 干乾 峰峯 高髙 吴呉 卫衞 村邨 么麽麼 秘祕 柏栢 "
    "崎﨑 岛嶋嶌 清淸 青靑 教敎 既旣 阔濶 里裏裡 涂凃 杰傑 温溫 产産 "
    "户戸戶 净浄淨 群羣 吃喫 并竝並併 咏詠 苏甦囌 晋晉 黄黃 录彔 彦彥 颜顔顏 "
    "真眞 慎愼 插揷 亚亜 泽沢 边辺邉邊 齐斉 斋斎 龙竜 广広 黑黒 樱桜 "
    "桧檜 县県 国囯圀囗 铁鉄 铅鈆 线綫 着著 乌烏 鲜鱻 丽麗 翠翆 面麺 "
    "皋皐臯 坤堃 考攷 "
)  # each: the target, then what is folded into it


def plain(pinyin: str) -> list[str]:
    """Toneless spellings of one syllable: lü is written lv and lu in Latin names."""
    letters = "".join(
        c for c in unicodedata.normalize("NFD", pinyin) if c not in "\u0300\u0301\u0304\u030c\u0302"
    )
    letters = unicodedata.normalize("NFC", letters).replace("ê", "e")
    if not any(vowel in letters for vowel in "aeiouü"):
        return []
    if "ü" in letters:
        return [letters.replace("ü", "v"), letters.replace("ü", "u")]
    return [letters] if letters.isascii() and letters.isalpha() else []


def main() -> None:
    """Write both tables."""
    convert = opencc.OpenCC("t2s").convert
    simple = {c: out for c in HAN if (out := convert(c)) != c and len(out) == 1}
    for variants in VARIANTS.split():
        simple |= dict.fromkeys(variants[1:], variants[0])
    simple = {c: simple.get(out, out) for c, out in simple.items() if simple.get(out, out) != c}
    groups = defaultdict(list)
    for source, target in simple.items():
        groups[target].append(source)
    (FOLDER / "simplified.tsv").write_text(
        f"# Traditional and variant characters to the simplified one, for key forms.\n"
        f"# Source: opencc {version('opencc')} t2s (Apache-2.0) and a list of variants in"
        f" build_text_tables.py. Made 2026-11-21.\n"
        f"# Columns: simplified character, the characters folded into it.\n"
        + "".join(f"{t}\t{''.join(sorted(s))}\n" for t, s in sorted(groups.items())),
        encoding="utf-8",
    )
    used: dict[str, Counter[str]] = defaultdict(Counter)
    for phrase, syllables in phrases_dict.items():
        for char, options in zip(phrase, syllables, strict=False):
            for spelling in plain(options[0]):
                used[char][spelling] += 1
    readings: dict[str, list[str]] = defaultdict(list)
    for point, listed in pinyin_dict.items():
        char = chr(point)
        spellings = list(dict.fromkeys(s for o in listed.split(",") for s in plain(o)))
        # The first is the usual one; others count if a phrase attests them, since the
        # dictionaries also list readings that nobody has used for a thousand years.
        first = plain(listed.split(",")[0])
        keep = first + [s for s in spellings if s not in first and used[char][s]]
        if keep:
            readings[" ".join(keep[:4])].append(char)
    (FOLDER / "pinyin.tsv").write_text(
        f"# Pinyin readings of single characters, without tones; \u00fc as v and as u.\n"
        f"# Source: pypinyin {version('pypinyin')} (MIT), character and phrase data."
        f" Made 2026-11-21.\n"
        f"# Columns: readings, the usual one first; the characters read so.\n"
        + "".join(f"{r}\t{''.join(sorted(c))}\n" for r, c in sorted(readings.items())),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
