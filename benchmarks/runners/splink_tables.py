"""What Splink gets of each kind of data: columns made by SQL in DuckDB, as its guide advises.

Splink leaves cleaning to its user; these are the columns that someone who knows
both the tool and the data would make. Each text is a query on ``records``.
"""

FEBRL = """
select record_id as unique_id, given_name, surname, nullif(street_number, '') as street_number,
    address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id,
    case when length(date_of_birth) = 8 and try_strptime(date_of_birth, '%Y%m%d') is not null
        then date_of_birth end as birth_text,
    given_name || ' ' || surname as full_name
from records
"""

HISTORICAL = """
select record_id as unique_id, full_name, first_name, surname, dob, birth_place, postcode_fake,
    gender, occupation, first_name || ' ' || surname as forename_surname
from records
"""

PEOPLE = """
with folded as (
    select record_id as unique_id, lower(trim(first_name)) as first_name,
        lower(trim(regexp_replace(last_name, '(?i)\\s+(jr|sr|ii|iii)\\.?$', ''))) as surname,
        lower(regexp_extract(last_name, '(?i)\\s(jr|sr|ii|iii)\\.?$', 1)) as suffix,
        lower(left(middle_name, 1)) as middle_initial,
        birth_date as dob, lower(email) as email,
        right(regexp_replace(phone, '\\D', '', 'g'), 10) as phone,
        lower(street_address) as street, lower(city) as city, postcode
    from records
)
select * exclude (suffix), nullif(suffix, '') as suffix,
    first_name || ' ' || surname as forename_surname,
    regexp_extract(street, '^\\d+') || ' ' ||
        split_part(regexp_replace(street, '^\\d+\\s+', ''), ' ', 1) || ' ' ||
        coalesce(left(postcode, 3), '') as street_key,
    regexp_replace(regexp_replace(regexp_replace(street, '[.,#]', ' ', 'g'),
        '\\b(street|str|st|avenue|ave|av|road|rd|drive|dr|lane|ln|court|ct|boulevard|blvd|place|pl'
        || '|circle|cir|way|wy|terrace|terr|ter|trail|trl|tr|apartment|apt|unit)\\b', '', 'g'),
        '\\s+', ' ', 'g') as street_plain
from folded
"""

_WORLD = """
with cells as (
    select *, coalesce(name, organization_name, {joined}) as shown from records
), folded as (
    select *, {name} as clean_name,
        list_filter(list_distinct([right(regexp_replace(phone, '\\D', '', 'g'), {digits}),
            right(regexp_replace(mobile, '\\D', '', 'g'), {digits})]),
            lambda n: length(n) = {digits}) as numbers,
        list_filter(list_distinct([upper(regexp_replace(national_id, '[^0-9A-Za-z]', '', 'g')),
            upper(regexp_replace(tax_id, '[^0-9A-Za-z]', '', 'g')),
            upper(regexp_replace(identifier, '[^0-9A-Za-z]', '', 'g'))]),
            lambda n: length(n) >= 6) as id_cells,
        regexp_replace(birth_date, '[^0-9/-]', '', 'g') as birth
    from cells
), dated as (
    select *, case
            when regexp_full_match(birth, '\\d{{6}}') then '19' || birth
            when regexp_full_match(birth, '\\d{{8}}') then birth
            else strftime(coalesce(try_strptime(birth, '%Y-%m-%d'), try_strptime(birth, '%Y/%m/%d'),
                try_strptime(birth, '%m/%d/%Y'), try_strptime(birth, '%d/%m/%Y')), '%Y%m%d')
        end as dob_text
    from folded
), held as (
    select record_id, unnest(numbers) as number from dated
), rare as (
    select record_id, list(number) as rare_phones
    from held semi join (select number from held group by number having count(*) <= 4)
        using (number)
    group by record_id
)
select record_id as unique_id, customer_type, nullif(clean_name, '') as name,
    case when {organization} then 'o' else 'p' end as kind,
    nullif({core}, '') as core,
    case when not ({organization}) then {given} end as given,
    case when not ({organization}) then {surname} end as surname,
    case when length(numbers) > 0 then numbers end as phones,
    case when {organization} then regexp_extract(clean_name, '{branch}', 1) end as branch,
    rare_phones,
    case when length({ids}) > 0 then {ids} end as ids,
    upper(regexp_replace(coalesce(national_id, tax_id, identifier), '[^0-9A-Za-z]', '', 'g'))
        as main_id,
    case when length(dob_text) = 8 then dob_text end as dob,
    nullif(lower(trim(email)), '') as email,
    nullif({street}, '') as street, nullif({address}, '') as address,
    nullif(lower({town}), '') as town,
    nullif(lower(regexp_replace(coalesce(contact_name, legal_representative), '[\\s.]', '', 'g')),
        '') as contact,
    postal_code
from dated left join rare using (record_id)
"""

_ZH_NAME = """lower(regexp_replace(regexp_replace(regexp_replace(regexp_replace(shown,
    '[（(【\\[<].*?[)）】\\]>]', '', 'g'), '[-－—*★#].*$', ''),
    '(先生|女士|小姐|老师|经理|总监|主任|总)$', ''), '[\\s·.,，。]', '', 'g'))"""
_ZH_CORE = """regexp_replace(regexp_replace(clean_name,
    '(股份有限公司|有限责任公司|有限公司|公司|集团|厂|店|经营部|商行|工作室|分公司'
    || '|办事处)', '', 'g'),
    '^(..省|...自治区|.{2,3}市)', '')"""
_EN_NAME = """trim(regexp_replace(regexp_replace(regexp_replace(lower(regexp_replace(
    regexp_replace(shown, '[(\\[].*?[)\\]]', '', 'g'), '^([^, ]+), (.+)$', '\\2 \\1')),
    '[.,''&*"-]', ' ', 'g'),
    '\\b(mr|mrs|ms|dr|prof|jr|sr|ii|iii|the|and)\\b', ' ', 'g'), '\\s+', ' ', 'g'))"""
_EN_CORE = """trim(regexp_replace(clean_name, '\\b(inc|incorporated|llc|ltd|limited|lt|corp'
    || '|corporation|co|company|plc|llp|lp|group|holdings|services|service)\\b', '', 'g'))"""

WORLD = {
    "zh": _WORLD.format(
        joined="family_name || coalesce(given_name, '')",
        name=_ZH_NAME,
        digits=8,
        organization="coalesce(customer_type, case when length(clean_name) > 4 and "
        "regexp_matches(clean_name, '公司|厂|店|部|中心|集团|银行|行$|院|所|社|馆') "
        "then 'organization' else 'person' end) = 'organization'",
        core=_ZH_CORE,
        branch="(.{2,4})(分公司|营业部|办事处|分店|支行|分行|分厂)$",
        given="substr(clean_name, 2)",
        surname="left(clean_name, 1)",
        ids="list_distinct(list_concat(id_cells, list_concat("
        "list_transform(list_filter(id_cells, "
        "lambda n: regexp_full_match(n, '[1-9]\\d{16}[0-9X]')), "
        "lambda n: left(n, 6) || substr(n, 9, 9)),"
        "list_transform(list_filter(id_cells, lambda n: regexp_full_match(n, '9[0-9A-Z]{17}')),"
        " lambda n: substr(n, 9, 9)))))",
        street="regexp_extract(regexp_replace(address, '\\s', '', 'g'), "
        "'([^省市区县镇乡街]{1,5}(路|街|大道|道|巷|弄)\\d+)', 1)",
        address="lower(regexp_replace(address, '\\s', '', 'g'))",
        town="coalesce(city, regexp_extract(address, '([^省区]{2,3}市)', 1))",
    ),
    "en": _WORLD.format(
        joined="trim(coalesce(given_name, '') || ' ' || coalesce(family_name, ''))",
        name=_EN_NAME,
        digits=9,
        organization="coalesce(customer_type, case when contact_name is not null or regexp_matches("
        "clean_name, '\\b(inc|llc|ltd|limited|corp|co|company|plc|group|services|motors|systems|"
        "foods|solutions|construction|industries|partners)\\b') "
        "then 'organization' else 'person' end) = 'organization'",
        core=_EN_CORE,
        branch="(\\w+) branch\\b",
        given="split_part(clean_name, ' ', 1)",
        surname="list_extract(string_split(clean_name, ' '), -1)",
        ids="id_cells",
        street="regexp_extract(lower(address), '(\\d+\\s+\\w+)', 1)",
        address="lower(regexp_replace(address, '[.,#]', '', 'g'))",
        town="city",
    ),
}


def query(kind: str, lang: str) -> str:
    """The query of a kind of data set: febrl3, febrl4, historical, people or world."""
    if kind == "world":
        return WORLD[lang]
    return {"historical": HISTORICAL, "people": PEOPLE}.get(kind, FEBRL)
