"""Headings: declared ones first, the others by their meaning, in any order."""

import itertools
import random
from pathlib import Path

import pytest
import yaml

import connectors
from connectors import mapping
from connectors.config import SourceConfig
from connectors.fields import INPUT_FIELDS
from onefold.errors import SourceLayout

CASES = {
    "name": "Acct_Holder Client_Nm 会员称呼 客户名称 客戶名稱 姓名 *姓名 "
    "单位/姓名 客户姓名（必填） 您的姓名 Customer Client Name "
    "Customer_Name CUST_NAME khmc 公司/个人名称 客商名称 cCusName Kunde 顧客名",
    "organization_name": "公司名称 单位名称 工作单位 Company Organisation AccountName "
    "企业名称（全称） 公司名 客户公司名 company_name dwmc 就職單位 Firma Employer 客户公司 "
    "发票抬头 Biz_Name",
    "family_name": "姓 LastName last_name Surname 姓氏 Nachname",
    "given_name": "名 FirstName first_name Forename Vorname",
    "short_name": "客户简称 shortname cCusAbbName Abbreviation khjc",
    "customer_type": "客户类型 Type_of_client custtype RecordType Customer_Type is_company",
    "national_id": "National_ID_No. 身份证号 身份證號碼 idcard "
    "SSN 客户身份证号码 sfzh HKID National_ID",
    "tax_id": "税号 統一編號 统一社会信用代码 纳税人识别号 taxpayerid VAT_No VAT-No. EIN nsrsbh "
    "Tax_ID 营业执照号 USt-IdNr. cCusRegCode",
    "identifier": "税号/身份证 統編/身份證 证件号码 TaxOrIdNumber idno Reg_No "
    "身份证号/社会信用代码 身份证号码或税号 ID/Passport",
    "birth_date": "Geb.-Datum geb._am 出生日期 生日 Birthdate D.O.B. Date_of_Birth birthday csrq "
    "Geburtsdatum",
    "sex": "性别 性別 Sex Gender",
    "phone": "电话 電話 联系方式 联系电话 座机 Phone Tel. TEL tel1 Phone_2 Contact_no. Office ℡ "
    "客户联系电话 联系人/电话 cCusPhone billing_phone 办公电话 手机/电话 Telefon Work_Phone",
    "mobile": "Mobilnr. 手机 手機號碼 手提電話 Mobile "
    "Mobile_# Cell MobilePhone FMobilePhone 客户手机号码1 "
    "行動電話 Handy-Nr. sjh 联系方式_>_手机",
    "email": "邮箱 電郵 E-mail Email_Address 电子邮件 EMAIL 联系人邮箱 emailaddress1 e-mail_2 mail",
    "address": "地址 详细地址 送货地址 Addr. Ship-to MailingStreet 通訊地址 公司地址 "
    "Address_Line_1 Straße txdz primary_address_street 联系地址",
    "district": "区县 District 区",
    "city": "城市 市 City MailingCity billing_address_city Town Ort",
    "region": "所在省市 省 省份 Province State State/Province MailingState 地址_>_省",
    "postal_code": "邮编 郵政編碼 Zip ZIP_Code postcode PLZ MailingPostalCode Post_Code 邮政编码",
    "country": "国家 Country MailingCountry 国家/地区 country_code",
    "contact_name": "联系人 聯絡人 对接人 经办人 Contact Attn Attn: linkman lxr Contact_Person "
    "联系人_>_姓名 連絡人 POC Ansprechpartner Contact_Person_Name",
    "legal_representative": "法定代表人 法人 legalbody 法人代表 Owner",
    "status": "客户状态 Status enablestate",
    "consent_marketing": "营销同意 Marketing_Consent Newsletter",
    "consent_marketing_at": "营销同意时间 Consent_Date Opt-in_Time",
    "do_not_contact_at": "退订日期 Unsubscribed_At Opt_Out_Date",
    "do_not_contact": "勿扰 Do_Not_Contact DoNotCall Email_Opt_Out",
    "created_at": "登记日期 CreatedDate created_at Since creationtime opened 建档日期",
    "updated_at": "更新时间 LastModifiedDate updated_at write_date 修改日期",
    "note": "备注 備註 Notes Remarks Comment Bemerkung",
}
UNMAPPED = (
    "序号 客户编号 Customer_No. ID custno 客户经理 业务员 开户行 银行账号 传真 Fax 手机验证时间 "
    "账户余额 职务 Website Account_Owner 紧急联系人电话 phone_verified 基本信息_>_编号 mnecode "
    "Kunden-Nr. email_count 邮箱状态 联系人职务 联系日期 Account_Status_Code"
)


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        (
            heading.replace("_>_", " > ").replace("_", " ")
            if " > " in heading.replace("_>_", " > ")
            else heading,
            field,
        )
        for field, headings in CASES.items()
        for heading in headings.split()
    ],
)
def test_heading_is_understood(heading, field):
    meant = mapping.meaning(heading)
    assert meant and meant.field == field


@pytest.mark.parametrize("heading", [h.replace("_>_", " > ") for h in UNMAPPED.split()])
def test_heading_of_something_else_is_left_alone(heading):
    assert mapping.meaning(heading) is None


def test_every_input_field_has_headings():
    assert set(CASES) == set(INPUT_FIELDS)


def test_no_heading_in_the_list_means_two_fields():
    path = Path(connectors.__file__).parent / "resources/headings.yml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(data["fields"]) == set(INPUT_FIELDS)
    seen: dict[str, str] = {}
    named = [(field, groups) for field, groups in data["fields"].items()]
    for field, groups in [*named, ("ignored", data["ignored"])]:
        for heading in itertools.chain.from_iterable(groups):
            plain = mapping.normalize(str(heading))
            assert seen.setdefault(plain, field) == field, heading


def test_every_field_of_the_list_has_thirty_headings_or_nearly():
    path = Path(connectors.__file__).parent / "resources/headings.yml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    many = {
        "name",
        "organization_name",
        "phone",
        "mobile",
        "email",
        "address",
        "tax_id",
        "national_id",
        "identifier",
        "contact_name",
        "birth_date",
        "postal_code",
    }
    for field in many:
        assert sum(map(len, data["fields"][field])) >= 30, field


def _config(**settings):
    return SourceConfig(
        **{"name": "crm", "connector": "delimited", "path": ("a",), "headings": "auto", **settings}
    )


def test_mapping_does_not_depend_on_the_order_of_columns():
    columns = ["Name", "Phone 2", "Phone", "Mobile", "客户名称", "客戶名稱", "Tel", "Address 1"]
    expected = mapping.resolve(_config(), columns)
    for seed in range(20):
        assert (
            mapping.resolve(_config(), random.Random(seed).sample(columns, len(columns)))
            == expected
        )
    assert list(expected) == ["name", "phone", "mobile", "address"]


def test_declared_columns_win_over_headings():
    config = _config(columns={"name": ("Contact",), "attributes.tier": ("Level",)})
    found = mapping.resolve(config, ["Contact", "Name", "Phone", "Level", "_source_key"])
    assert found == {"name": ["Contact"], "phone": ["Phone"], "attributes.tier": ["Level"]}


def test_declared_nothing_keeps_a_field_unmapped():
    found = mapping.resolve(_config(columns={"note": ()}), ["Name", "Remarks"])
    assert found == {"name": ["Name"]}


def test_declared_column_is_found_whatever_its_punctuation():
    config = _config(headings="none", columns={"name": ("contact no (required)",)})
    assert mapping.resolve(config, ["Contact no. (required)"])["name"] == ["Contact no. (required)"]


def test_optional_column_may_be_missing():
    config = _config(headings="none", columns={"name": ("name",), "mobile": ("mobile?",)})
    assert mapping.resolve(config, ["name"]) == {"name": ["name"]}
    assert mapping.resolve(config, ["name", "mobile"])["mobile"] == ["mobile"]


def test_missing_column_names_what_was_found():
    config = _config(headings="none", columns={"name": ("VAT No",)})
    with pytest.raises(SourceLayout) as caught:
        mapping.resolve(config, ["Name", "City", "_position"])
    assert str(caught.value) == (
        'crm: no column "VAT No" (found "Name", "City"). Mend it in sources/crm.yml, columns.name.'
    )


def test_source_without_names_is_an_error():
    with pytest.raises(SourceLayout, match="no column holds the customer's name"):
        mapping.resolve(_config(), ["Phone", "City"])
