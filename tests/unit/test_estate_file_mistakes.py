"""Every mistake in an estate file is named, on its line.

In the cases below a comment `#!` stands on each line that has a mistake, followed by a part of what is told
about it, message or hint; several mistakes on one line are set apart by a semicolon.
"""

import pytest

from keyturn.model.errors import Refused
from keyturn.wire.estate_file.document import LARGEST_FILE
from keyturn.wire.estate_file.problems import MOST, EstateErrors, Problem
from keyturn.wire.estate_file.reading import read_estate

ROLES = frozenset({"sms2003/service", "sms2003/database", "configmgr/network-access", "generic/service"})

HOUSE = """
[[realm]]
name = "HQ"
replicas = ["hq1", "hq2"]
[[realm]]
name = "EMEA"
replicas = ["lon1"]
policy.min_length = 12
[[realm]]
name = "PCS"
kind = "local"
replicas = ["itself"]
[[site]]
code = "CEN"
kind = "central"
realm = "HQ"
server = "CEN01"
[[site]]
code = "PHX"
parent = "CEN"
realm = "HQ"
server = "PHX01"
[[site]]
code = "TUC"
kind = "secondary"
parent = "PHX"
realm = "HQ"
server = "TUC01"
[[site]]
code = "LON"
parent = "CEN"
realm = "EMEA"
server = "LON01"
[[account]]
name = "svc"
realm = "HQ"
role = "service"
sites = ["CEN", "PHX", "TUC"]
[[client_group]]
name = "PC"
site = "PHX"
kind = "legacy"
count = 20
"""

MISTAKES = {
    "an unknown key": """
        [[site]]
        code = "NEW"
        realm = "HQ"
        server = "NEW01"
        sever = "NEW02"  #! unknown key sever; did you mean server?
        colour = "red"   #! unknown key colour; it may have code, realm, server
        """,
    "an unknown table": """
        [[sites]]  #! unknown key sites; did you mean site?
        code = "NEW"
        [[sites]]
        code = "NEX"
        """,
    "a password": """
        [[account]]
        name = "svc2"
        realm = "HQ"
        role = "service"
        password = "canary-3141"  #! account svc2: unknown key password; keyturn account adopt
        """,
    "a table written with single brackets": """
        [consumer]  #! under the header [[consumer]]
        name = "backup"
        """,
    "a policy that is no table": """
        [[realm]]
        name = "R"
        policy = "strict"  #! must be a table
        """,
    "a value of another type": """
        [[realm]]
        name = 5              #! name must be text in quotes
        replicas = "dc1"      #! a list of names
        [[realm]]
        name = "R2"
        replicas = ["dc1", 2] #! each name is text in quotes
        [realm.policy]
        complexity = "yes"    #! true or false
        history = 2.0         #! a whole number from 0 to 1024
        min_length = true     #! a whole number
        grace = true          #! a duration
        """,
    "a missing key": """
        [[site]]          #! site NEW has no realm; site NEW has no server
        code = "NEW"
        [[account]]       #! the account has no name; has no realm; has no role; a role of the catalogue
        [[client]]        #! no kind; one of legacy, advanced
        name = "PC7"
        site = "PHX"
        [[client_group]]  #! no count; from 1 to 1000000
        name = "LAB"
        site = "PHX"
        kind = "legacy"
        [[consumer]]      #! no accounts
        name = "backup"
        """,
    "an unknown choice": """
        [[realm]]
        name = "R"
        kind = "activedirectory"  #! did you mean active-directory?
        [[client]]
        name = "PC7"
        site = "PHX"
        kind = "Legacy"           #! not Legacy; did you mean legacy?
        protocol = "smb"          #! one of ntlm, ldap, kerberos, not smb
        """,
    "text that is none": """
        [[realm]]
        name = ""            #! is not empty
        [[realm]]
        name = " R"          #! begins nor ends with a space
        [[realm]]
        name = "R\\u001b[2J"  #! without control characters
        """
    f"""
        [[realm]]
        name = "{"R" * 257}"  #! at most 256 characters
        """,
    "a duration that is none": """
        [[realm]]
        name = "R"
        replication = "5 minutes"  #! must be a duration such as "30 min"
        [[client]]
        name = "PC7"
        site = "PHX"
        kind = "legacy"
        interval = 0               #! at least 0.1 s
        logon_script = "0 d"       #! at least 0.1 s
        phase = -1                 #! zero or longer
        """,
    "a date, an infinity or a nan": """
        [[realm]]
        name = "R"
        replication = 2026-11-21  #! must be a duration
        [realm.policy]
        grace = inf               #! at most 36500 d
        min_age = -inf            #! zero or longer
        max_age = nan             #! must be a duration
        """,
    "a negative threshold": """
        [[realm]]
        name = "R"
        policy.lockout_threshold = -1       #! from 0 to 1024
        policy.lockout_window = "-30 min"   #! a duration
        """,
    "absences that are none": """
        [[client]]
        name = "PC7"
        site = "PHX"
        kind = "legacy"
        absences = [
            ["1 d", "2 d"],
            ["3 d", "3 d"],  #! begin before they end
        ]
        [[client]]
        name = "PC8"
        site = "PHX"
        kind = "legacy"
        absences = ["1 d", "2 d"]  #! a list of pairs
        [[client]]
        name = "PC9"
        site = "PHX"
        kind = "legacy"
        absences = [["1 d", "later"]]  #! each part is a duration
        """,
    "a name twice in one list": """
        [[account]]
        name = "svc2"
        realm = "HQ"
        role = "service"
        sites = ["PHX", "PHX"]  #! PHX is in it twice
        """,
    "a malformed site code": """
        [[site]]
        code = "PHXX"  #! takes three of A to Z and 0 to 9
        realm = "HQ"
        server = "S1"
        [[site]]
        code = "new"   #! malformed; write NEW
        realm = "HQ"
        server = "S2"
        [[site]]
        code = "ÄÖÜ"   #! malformed
        realm = "HQ"
        server = "S3"
        """,
    "a site code that Windows reserves": """
        [[site]]
        code = "AUX"  #! the name of a Windows device
        realm = "HQ"
        server = "S1"
        """,
    "a site code used before": """
        [[site]]
        code = "PHX"  #! site PHX is there a second time, after line 19
        parent = "CEN"
        realm = "HQ"
        server = "S1"
        """,
    "a site in an unknown realm": """
        [[site]]
        code = "NEW"
        realm = "hq"  #! names the unknown realm hq; did you mean HQ?
        server = "S1"
        """,
    "a site below an unknown one": """
        [[site]]
        code = "NEW"
        parent = "XXX"  #! names the unknown parent XXX
        realm = "HQ"
        server = "S1"
        """,
    "a site below a secondary site": """
        [[site]]
        code = "SEC"
        kind = "secondary"
        parent = "TUC"  #! is a secondary site under the secondary site TUC; a secondary site is never a parent
        realm = "HQ"
        server = "S1"
        [[site]]
        code = "PRI"
        parent = "TUC"  #! is a primary site under the secondary site TUC
        realm = "HQ"
        server = "S2"
        """,
    "a secondary site without a parent": """
        [[site]]
        code = "SEC"  #! is a secondary site without a parent; below a primary site
        kind = "secondary"
        realm = "HQ"
        server = "S1"
        """,
    "a second central site, with a parent": """
        [[site]]
        code = "CE2"
        kind = "central"  #! is a second central site, after site CEN on line 14
        parent = "CEN"    #! is a central site and has a parent
        realm = "HQ"
        server = "S1"
        """,
    "sites in a loop": """
        [[site]]
        code = "AAA"
        parent = "BBB"
        realm = "HQ"
        server = "S1"
        [[site]]
        code = "BBB"
        parent = "CCC"  #! site BBB is in a loop of parents: BBB → CCC → BBB
        realm = "HQ"
        server = "S2"
        [[site]]
        code = "CCC"
        parent = "BBB"
        realm = "HQ"
        server = "S3"
        [[site]]
        code = "DDD"
        parent = "DDD"  #! DDD → DDD
        realm = "HQ"
        server = "S4"
        """,
    "a site system of an unknown site, and one listed twice": """
        [[site_system]]
        name = "DP1"
        site = "PHX"
        [[site_system]]
        name = "dp1"  #! there a second time
        site = "PHX"
        [[site_system]]
        name = "DP1"
        site = "LON"
        [[site_system]]
        name = "DP2"
        site = "PHY"  #! unknown site PHY; did you mean PHX?
        """,
    "a realm listed twice": """
        [[realm]]
        name = "ＨＱ"  #! there a second time, after line 3
        """,
    "a realm with a slash in its name": """
        [[realm]]
        name = "A/B"   #! has a slash
        [[realm]]
        name = 'A\\B'   #! has a slash
        """,
    "a realm without a replica, and one with a replica twice": """
        [[realm]]
        name = "R1"
        replicas = []              #! has no replica
        [[realm]]
        name = "R2"
        replicas = ["dc1", "DC1"]  #! without repetition
        """,
    "a trust in an unknown realm, and one in itself": """
        [[realm]]
        name = "R"
        trusts = [
            "HQ",
            "NOWHERE",  #! the unknown realm NOWHERE
            "R",        #! trusts itself
        ]
        """,
    "an account in two roles": """
        [[account]]
        name = "SVC"
        realm = "HQ"
        role = "database"  #! account SVC has a second role, sms2003/database: on line 35 it is sms2003/service
        """,
    "an account listed twice": """
        [[account]]
        name = "Svc"  #! is listed already on line 35
        realm = "HQ"
        role = "service"
        """,
    "an account in an unknown realm, of an unknown role, at an unknown site": """
        [[account]]
        name = "svc2"
        realm = "HQQ"             #! unknown realm HQQ; did you mean HQ?
        role = "network-access"   #! not network-access; configmgr/network-access
        sites = ["PHX", "XXX"]    #! unknown site XXX
        [[account]]
        name = "svc3"
        realm = "HQ"
        role = "generic/nothing"  #! a role of the catalogue
        """,
    "a local account that bears the name of a domain account": """
        [[account]]
        name = "SVC"  #! account SVC is local and bears the name of HQ\\svc on line 35
        realm = "PCS"
        role = "generic/service"
        [[account]]   #! has no name
        realm = "HQ"
        role = "service"
        [[account]]   #! has no name
        realm = "PCS"
        role = "service"
        """,
    "an account shared without trust": """
        [[account]]
        name = "svc2"
        realm = "HQ"
        role = "service"
        sites = [
            "PHX",
            "LON",  #! is shared by site LON in realm EMEA, which does not trust realm HQ
        ]
        """,
    "an account name its realm cannot take": """
        [[account]]
        name = "SMSCliToknLocalAcct&1"  #! longer than the 20 characters
        realm = "HQ"
        role = "service"
        [[account]]
        name = "SMSCliToknLocalAcct&2"  #! longer than the 20 characters
        realm = "AD"
        role = "service"
        [[realm]]
        name = "AD"
        kind = "active-directory"
        [[account]]
        name = "a*b?"                   #! has * ? in its name
        realm = "HQ"
        role = "service"
        [[realm]]
        name = "PG"
        kind = "postgresql"
        [[account]]
        name = "a=b*"
        realm = "PG"
        role = "database"
        [[account]]
        name = "a/b"                    #! has / in its name
        realm = "PG"
        role = "database"
        """
    f"""
        [[account]]
        name = "{"ü" * 32}"  #! longer than the 63 bytes
        realm = "PG"
        role = "database"
        """,
    "a client that bears the name of another, of a group or of a group's member": """
        [[client]]
        name = "pc"       #! client pc is there a second time, after line 40
        site = "PHX"
        kind = "legacy"
        [[client]]
        name = "PC-0020"  #! the name of a member of client group PC; has 20
        site = "PHX"
        kind = "legacy"
        [[client]]
        name = "pc-００１９"  #! the name of a member
        site = "PHX"
        kind = "legacy"
        [[client]]
        name = "PC-0021"
        site = "PHX"
        kind = "legacy"
        [[client]]
        name = "PC-00020"
        site = "PHX"
        kind = "legacy"
        [[consumer]]
        name = "PC-0021"  #! there a second time
        accounts = ["svc"]
        """,
    "a client of an unknown site, at an unknown replica": """
        [[client]]
        name = "PC7"
        site = "PHY"      #! unknown site PHY
        kind = "legacy"
        [[client]]
        name = "PC8"
        site = "PHX"
        kind = "legacy"
        replica = "lon1"  #! unknown replica lon1
        """,
    "too many clients": """
        [[client_group]]
        name = "A"
        site = "PHX"
        kind = "legacy"
        count = 1_000_001  #! from 1 to 1000000
        [[client_group]]
        name = "B"
        site = "PHX"
        kind = "legacy"
        count = 999_999    #! above 1,000,000
        [[client_group]]
        name = "C"
        site = "PHX"
        kind = "legacy"
        count = 1
        """,
    "too many clients, those outside groups included": """
        [[client]]
        name = "PC7"
        site = "PHX"
        kind = "legacy"
        [[client_group]]
        name = "B"
        site = "PHX"
        kind = "legacy"
        count = 999_980  #! above 1,000,000
        """,
    "a consumer of an unknown account, and of one in two realms": """
        [[account]]
        name = "svc"
        realm = "EMEA"
        role = "service"
        [[consumer]]
        name = "backup"
        accounts = [
            "HQ/svc",
            "svc",     #! in more than one realm; HQ/svc or EMEA/svc
            "HQ/sv",   #! unknown account HQ/sv
        ]
        replica = "itself"  #! unknown replica itself
        """,
    "the accounts that a realm or a site leans on": """
        [[realm]]
        name = "APAC"
        bind_account = "HQ/keyturn"  #! names the unknown account HQ/keyturn; list it as an [[account]]
        [[account]]
        name = "svc"
        realm = "EMEA"
        role = "service"
        [[site]]
        code = "NEW"
        realm = "HQ"
        server = "NEW01"
        recovery_account = "svc"  #! account svc, which is in more than one realm; HQ/svc or EMEA/svc
        setup_file = true
        setup_accounts = [
            "EMEA/svc",
            "EMEA/SMSServer",  #! names the unknown account EMEA/SMSServer
        ]
        """,
    "accounts of a setup file that setup did not have": """
        [[site]]
        code = "NEW"
        realm = "HQ"
        server = "NEW01"
        setup_accounts = ["svc"]  #! set up without one; add setup_file = true
        """,
    "a consumer that cannot hold the shortest password": """
        [[account]]
        name = "emea-svc"
        realm = "EMEA"
        role = "service"
        [[consumer]]
        name = "backup"
        accounts = ["svc", "emea-svc"]
        max_password_length = 11  #! holds at most 11 characters, but realm EMEA demands at least 12
        """,
}


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(EstateErrors) as caught:
        read_estate(text, roles=ROLES)
    return caught.value.problems


def marked(text: str) -> list[tuple[int, str]]:
    """Line and expected words of each mark; a part after a semicolon is told on the same line."""
    lines = enumerate(text.splitlines(), start=1)
    return [(number, line.split("#!")[1]) for number, line in lines if "#!" in line]


def test_the_house_of_the_cases_is_sound() -> None:
    assert len(read_estate(HOUSE, roles=ROLES).sites) == 4


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named_on_its_line(mistake: str) -> None:
    text = HOUSE + MISTAKES[mistake]
    told: dict[int, str] = {}
    problems = problems_of(text)
    assert len(set(problems)) == len(problems)
    for problem in problems:
        told[problem.line] = told.get(problem.line, "") + f"{problem.message}; {problem.hint}\n"
    assert list(told) == [line for line, _ in marked(text)]
    for line, words in marked(text):
        for part in words.split(";"):
            assert part.strip() in told[line]


@pytest.mark.parametrize("product", ["2003", '"sms"', '"SMS2003"'])
def test_a_product_without_a_catalogue_is_named(product: str) -> None:
    (problem,) = problems_of(f"# ours\nproduct = {product}\n")
    assert problem.line == 2
    assert "product must be one of sms2003, configmgr, generic" in problem.message


def test_a_primary_site_of_configuration_manager_stands_below_the_central_site_only() -> None:
    sites = [("CAS", "central", ""), ("P01", "primary", "CAS"), ("P02", "primary", "P01"), ("S01", "secondary", "CAS")]
    text = 'product = "configmgr"\n[[realm]]\nname = "HQ"\n'
    for code, kind, parent in sites:
        text += f'[[site]]\ncode = "{code}"\nkind = "{kind}"\nrealm = "HQ"\nserver = "{code}"\n'
        text += f'parent = "{parent}"\n' if parent else ""
    assert [problem.message for problem in problems_of(text)] == [
        "site P02 is a primary site under the primary site P01",
        "site S01 is a secondary site under the central site CAS",
    ]
    read_estate(text.replace("configmgr", "sms2003"), roles=ROLES)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('a = 1\nb = "open\nc = 2\n', 2, "Illegal character"),
        ("[[site]]\ncode = \n", 2, "Invalid value"),
        ('[[site]]\ncode = "A"\ncode = "B"\n\n', 3, "Cannot overwrite"),
        ('[[site]]\n\ncode = """\nopen\n\n', 4, "Unterminated"),
        ("[[site]]\ncreated = 2026-02-31\n", 2, "Invalid date"),
        ("x = 1\ny = " + "[" * 100_000, 1, "nested too deeply"),
        ("x = 1\n" + ".".join("a" * 100_000) + " = 1", 2, "too many parts"),
        ('x = 1\n"a' + '"."a' * 100_000 + '" = 1', 2, "too many parts"),
        ("x = 1\ny = " + "1" * 100_000, 2, "too many digits"),
        ("#" * (LARGEST_FILE + 1), 1, "larger than 8 MB"),
        ("#" + "ü" * (LARGEST_FILE // 2), 1, "larger than 8 MB"),
    ],
)
def test_a_text_that_cannot_be_parsed_has_one_error(text: str, line: int, words: str) -> None:
    (problem,) = problems_of(text)
    assert problem.line == line
    assert words in problem.message


def test_a_line_is_found_in_a_file_nested_as_deeply_as_toml_allows() -> None:
    (problem,) = problems_of("\nx = " + "[" * 300 + "]" * 300)
    assert (problem.line, problem.message) == (2, "the file: unknown key x")


def test_errors_are_told_in_the_order_of_the_file_each_with_its_hint() -> None:
    text = '[[account]]\nname = "svc"\nrealm = "HQQ"\nrole = "service"\n[[realm]]\nname = "HQ"\nkind = "local "\n'
    with pytest.raises(EstateErrors) as caught:
        read_estate(text, roles=ROLES)
    assert caught.value.render("plant/estate.toml").splitlines() == [
        "plant/estate.toml:3: account svc names the unknown realm HQQ",
        "    hint: did you mean HQ?",
        "plant/estate.toml:7: realm HQ: kind must be one of builtin, active-directory, openldap, postgresql, mariadb, "
        "sql-server, local, not local ",
        "    hint: did you mean local?",
    ]


def test_the_errors_are_a_refusal_that_says_how_many_they_are() -> None:
    with pytest.raises(Refused) as caught:
        read_estate("a = 1\nb = 2", roles=ROLES)
    assert caught.value.message == "the estate file has 2 errors"
    assert "nothing was changed" in caught.value.hint


def test_only_the_first_thousand_errors_are_told() -> None:
    problems = problems_of("\n".join(f"x{number} = 1" for number in range(3 * MOST)))
    assert [problem.line for problem in problems] == list(range(1, MOST + 1))
    assert "more than 1000 errors" in problems[-1].hint


def test_a_value_that_stands_at_a_wrong_key_is_not_repeated() -> None:
    for problem in problems_of('[[account]]\nname = "svc"\npasswrod = "canary-2718"\n'):
        assert "canary" not in problem.message + problem.hint


def test_no_error_carries_what_could_steer_a_terminal() -> None:
    text = '"\\u001b[2J" = 1\n[[site]]\ncode = "\\u001b]0;x"\nkind = "\\u202e"\nparent = "\\u009b"\n'
    for problem in problems_of(text):
        assert (problem.message + problem.hint).isprintable()


def test_a_long_name_is_told_shortened() -> None:
    for problem in problems_of(f'{"x" * 5000} = 1\n[[realm]]\nname = "R"\nkind = "{"y" * 5000}"\n'):
        assert len(problem.message) < 250
