import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from newsletter_mail.errors import ConfigError
from newsletter_mail.scaffold import make_workspace
from newsletter_mail.settings import SECRETS, Settings, find_workspace, is_env_file_open

KEY = "a secret key of 32 characters ..."
PASSWORD = "the password of the mailer"

#: Every setting: section, key, a good value in TOML and as a variable, and what is read.
GOOD: list[tuple[str, str, str, str, object]] = [
    ("newsletter", "name", '"City Letters"', "City Letters", "City Letters"),
    ("newsletter", "language", '"pt-BR"', "pt-BR", "pt-BR"),
    ("newsletter", "template", '"plain"', "plain", "plain"),
    ("newsletter", "pictures", '"embed"', "embed", "embed"),
    ("sender", "from", '"A <a@b.org>"', "A <a@b.org>", "A <a@b.org>"),
    ("sender", "reply_to", '"r@b.org"', "r@b.org", "r@b.org"),
    ("sender", "bounces", '"b@b.org"', "b@b.org", "b@b.org"),
    ("sender", "postal_address", '"1 Street"', "1 Street", "1 Street"),
    (
        "web",
        "base_url",
        '"https://n.example.org/x/"',
        "https://n.example.org/x",
        "https://n.example.org/x",
    ),
    ("database", "url", '"sqlite:///x.db"', "sqlite:///x.db", "sqlite:///x.db"),
    ("transport", "url", '"smtp://u@h:587"', "smtp://u@h:587", "smtp://u@h:587"),
    ("transport", "connections", "20", "20", 20),
    ("transport", "rate", "2.5", "2.5", 2.5),
    ("transport", "per_domain", "3", "3", 3),
    ("delivery", "max_attempts", "4", "4", 4),
    ("delivery", "uncertain", '"resend"', "resend", "resend"),
    ("delivery", "stop_after_refusals", "7", "7", 7),
    ("delivery", "require_test", "true", "true", True),
    ("check", "allowed_hosts", '"a.org, b.org"', "a.org, b.org", "a.org, b.org"),
]
_SECTIONS = [name for name in Settings.model_fields if name not in (*SECRETS, "workspace")]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("NEWSLETTER_"):
            monkeypatch.delenv(name)


def _write(folder: Path, toml: str = "", dotenv: str | None = None) -> Path:
    (folder / "newsletter.toml").write_text(toml, encoding="utf-8")
    if dotenv is not None:
        (folder / ".env").write_text(dotenv, encoding="utf-8")
    return folder


def _value(settings: Settings, section: str, key: str) -> Any:
    return getattr(getattr(settings, section), "from_" if key == "from" else key)


def _refusal(folder: Path, toml: str = "", dotenv: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        Settings.load(_write(folder, toml, dotenv))
    return str(caught.value)


def test_the_table_knows_every_setting_of_every_section() -> None:
    known = set()
    for section in _SECTIONS:
        model = Settings.model_fields[section].annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        for name, field in model.model_fields.items():
            known.add((section, field.alias or name))
    # DKIM has settings of its own tests.
    assert {(section, key) for section, key, *_ in GOOD} == {
        one for one in known if one[0] != "dkim"
    }


@pytest.mark.parametrize(("section", "key", "toml", "variable", "value"), GOOD)
def test_a_setting_comes_from_the_file_from_dotenv_and_from_the_environment(
    section: str,
    key: str,
    toml: str,
    variable: str,
    value: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"NEWSLETTER_{section}__{key}".upper()
    default = _value(Settings.load(_write(tmp_path)), section, key)
    assert default != value

    assert (
        _value(Settings.load(_write(tmp_path, f"[{section}]\n{key} = {toml}")), section, key)
        == value
    )
    dotenv = f'# a comment\n{name}="{variable}"\n'
    assert _value(Settings.load(_write(tmp_path, "", dotenv)), section, key) == value
    monkeypatch.setenv(name, variable)
    assert _value(Settings.load(_write(tmp_path, "", "")), section, key) == value


def test_the_environment_is_stronger_than_dotenv_and_that_than_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = '[transport]\nurl = "maildir:file"\nconnections = 3\n[newsletter]\nname = "File"'
    dotenv = "NEWSLETTER_TRANSPORT__URL=maildir:dotenv\nNEWSLETTER_NEWSLETTER__NAME=Dotenv\n"
    monkeypatch.setenv("NEWSLETTER_TRANSPORT__URL", "maildir:environment")
    settings = Settings.load(_write(tmp_path, toml, dotenv))
    assert settings.transport.url == "maildir:environment"
    assert settings.transport.connections == 3
    assert settings.newsletter.name == "Dotenv"


def test_a_workspace_is_the_folder_that_was_named_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_WORKSPACE", str(tmp_path / "other"))
    settings = Settings.load(_write(tmp_path))
    assert settings.workspace == tmp_path
    assert settings.database_url == f"sqlite:///{tmp_path}/newsletter.db"


@pytest.mark.parametrize(
    ("toml", "line", "sentence"),
    [
        ("[newsleter]", 1, "there is no setting newsleter; did you mean newsletter?"),
        ("\n[zzz]", 2, "there is no setting zzz; known are newsletter, sender, web, "),
        ("[transport]\nurl='maildir:x'\nulr = 'x'", 3, "no setting ulr; did you mean url?"),
        ("[transport]\nFROM = 'x'", 2, "there is no setting FROM; known are url, "),
        ("[sender]\nfrom_ = 'a@b.org'", 2, "there is no setting from_; did you mean from?"),
        ("transport.ulr = 'x'", 1, "there is no setting ulr; did you mean url?"),
        ("name = 'x'", 1, "there is no setting name"),
        ("newsletter = 'x'", 1, "newsletter is a section; write [newsletter]"),
        ("workspace = '/x'", 1, "there is no setting workspace"),
        ("[transport]\n\nconnections = 'many'", 3, "connections: input should be a valid integer"),
        ("[transport]\nconnections = 0", 2, "connections: input should be greater than"),
        ("[transport]\nconnections = 201", 2, "connections: input should be less than"),
        ("[transport]\nrate = -1", 2, "rate: input should be greater than"),
        ("[delivery]\nuncertain = 'maybe'", 2, "uncertain: input should be 'hold' or 'resend'"),
        (
            "[delivery]\nrequire_test = 'perhaps'",
            2,
            "require_test: input should be a valid boolean",
        ),
        ("[delivery]\nmax_attempts = 51", 2, "max_attempts: input should be less than"),
        ("[newsletter]\nname = ''", 2, "name: value should have at least 1"),
        ("[newsletter]\nname = 'a\\nb'".replace("'", '"'), 2, "name: must be one line"),
        ("[newsletter]\nname = 3", 2, "name: input should be a valid string"),
        ("[newsletter]\nlanguage = 'english!'", 2, "language: string should match pattern"),
        ("[newsletter]\ntemplate = '../x'", 2, "template: string should match pattern"),
        ("[sender]\nfrom = 'nobody'", 2, "from: 'nobody' is not an email address"),
        ("[sender]\nfrom = 'A <a@b@c.org>'", 2, "from: 'a@b@c.org' is not an email address"),
        ('[sender]\nfrom = "A\\r\\nBcc: x <a@b.org>"', 2, "from: must be one line"),
        ("[sender]\nreply_to = 'x'", 2, "reply_to: 'x' is not an email address"),
        ("[sender]\nbounces = 'x'", 2, "bounces: 'x' is not an email address"),
        ("[web]\nbase_url = 'ftp://x'", 2, "base_url: must be an address such as https://"),
        ("[web]\nbase_url = 'https://x/?y'", 2, "base_url: must be an address such as https://"),
        ("[web]\nbase_url = 'https://u:p@x'", 2, "base_url: must be an address such as https://"),
        ("[web]\nbase_url = 7", 2, "base_url: input should be a valid string"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line(
    toml: str, line: int, sentence: str, tmp_path: Path
) -> None:
    refusal = _refusal(tmp_path, toml)
    assert refusal.startswith(f"{tmp_path / 'newsletter.toml'}:{line}: ")
    assert sentence in refusal
    assert "\n" not in refusal


def test_all_that_is_wrong_in_the_file_is_said_at_once(tmp_path: Path) -> None:
    refusal = _refusal(tmp_path, "[web]\nbase_url = 1\n[transport]\nulr = 'x'\nrate = 'x'")
    assert [int(line.split(":")[1]) for line in refusal.splitlines()] == [2, 5, 4]


def test_a_file_that_is_not_toml_is_said_with_its_line(tmp_path: Path) -> None:
    assert "not TOML: " in _refusal(tmp_path, "[web]\nbase_url = https://x")
    assert "(at line 2, column " in _refusal(tmp_path, "[web]\nbase_url = https://x")


def test_a_file_of_another_encoding_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_bytes(b"[newsletter]\nname = 'Caf\xe9'\n")
    with pytest.raises(ConfigError, match=r"newsletter\.toml: cannot be read: "):
        Settings.load(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_bytes(b"\xef\xbb\xbf[newsletter]\nname = 'Caf\xc3\xa9'\n")
    assert Settings.load(tmp_path).newsletter.name == "Café"


def test_a_folder_without_the_file_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file; run `newsletter init`"):
        Settings.load(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        (
            "NEWSLETTER_TRANSPORT__CONNECTIONS",
            "many",
            "connections: input should be a valid integer",
        ),
        ("NEWSLETTER_TRANSPORT__ULR", "x", "there is no setting ulr; did you mean url?"),
        ("NEWSLETTER_SENDER__FROM", "nobody", "from: 'nobody' is not an email address"),
        (
            "NEWSLETTER_TRANSPRT__URL",
            "x",
            "there is no setting NEWSLETTER_TRANSPRT__URL; did you mean NEWSLETTER_TRANSPORT__URL?",
        ),
        ("NEWSLETTER_ZZZ__URL", "x", "there is no setting NEWSLETTER_ZZZ__URL"),
    ],
)
def test_what_is_wrong_in_a_variable_is_said_with_its_name(
    variable: str, value: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = _refusal(tmp_path, "", f"{variable}={value}\n")
    assert refusal.startswith(f"{tmp_path / '.env'}:")
    assert variable in refusal
    assert sentence in refusal
    monkeypatch.setenv(variable, value)
    refusal = _refusal(tmp_path, "", "")
    assert refusal.startswith(f"environment variable {variable}: ")
    assert sentence in refusal


def test_a_variable_of_dotenv_that_is_spelt_wrong_is_said_with_its_line(tmp_path: Path) -> None:
    refusal = _refusal(tmp_path, "", f"# keys\nexport NEWSLETTER_SECRETKEY={KEY}\n")
    assert refusal.startswith(f"{tmp_path / '.env'}:2: ")
    assert "did you mean NEWSLETTER_SECRET_KEY?" in refusal
    assert KEY not in refusal


def test_variables_of_others_are_let_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_VERSION", "7")
    dotenv = "PATH_OF_OTHERS=x\nOTHER__THING=y\n"
    assert Settings.load(_write(tmp_path, "", dotenv)).newsletter.name == "Newsletter"


def test_a_section_in_one_variable_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_SENDER", "no JSON")
    assert "sender" in _refusal(tmp_path)


def test_a_dotenv_of_another_encoding_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"NEWSLETTER_SECRET_KEY=\xff\xfe\n")
    assert _refusal(tmp_path) == f"{tmp_path / '.env'}: cannot be read as UTF-8 text"


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_refused_in_the_file_and_not_repeated(name: str, tmp_path: Path) -> None:
    refusal = _refusal(tmp_path, f'{name} = "{PASSWORD}"')
    assert refusal == (
        f"{tmp_path / 'newsletter.toml'}:1: secrets do not belong here; "
        f"set NEWSLETTER_{name.upper()} in .env"
    )


def test_keys_rotate_newest_first(tmp_path: Path) -> None:
    newest, oldest = "n" * 20, "o" * 20
    settings = Settings.load(
        _write(tmp_path, "", f"NEWSLETTER_SECRET_KEY=' {newest} ,{oldest},, '\n")
    )
    assert settings.secret_keys == (newest, oldest)


@pytest.mark.parametrize(
    "dotenv", ["", "NEWSLETTER_SECRET_KEY=\n", "NEWSLETTER_SECRET_KEY=' , '\n"]
)
def test_no_key_is_an_error_where_one_is_needed(dotenv: str, tmp_path: Path) -> None:
    settings = Settings.load(_write(tmp_path, "", dotenv))
    with pytest.raises(ConfigError, match="NEWSLETTER_SECRET_KEY is not set: unsubscribe links"):
        _ = settings.secret_keys


@pytest.mark.parametrize("keys", ["k" * 15, f"{'n' * 32},{'o' * 15}"])
def test_a_short_key_keeps_no_secret(keys: str, tmp_path: Path) -> None:
    settings = Settings.load(_write(tmp_path, "", f"NEWSLETTER_SECRET_KEY={keys}\n"))
    with pytest.raises(ConfigError, match="is too short: 16 characters at least") as caught:
        _ = settings.secret_keys
    assert "k" * 15 not in str(caught.value)
    assert "o" * 15 not in str(caught.value)


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    dotenv = f"NEWSLETTER_SECRET_KEY={KEY}\nNEWSLETTER_SMTP_PASSWORD={PASSWORD}\n"
    settings = Settings.load(_write(tmp_path, "", dotenv))
    assert settings.secret_keys == (KEY,)
    assert settings.smtp_password.get_secret_value() == PASSWORD
    for shown in (repr(settings), str(settings), settings.model_dump_json(), f"{settings}"):
        assert KEY not in shown
        assert PASSWORD not in shown
    for toml in ("[zzz]", "[transport]\nulr = 1", "[transport]\nrate = 'x'", "x"):
        refusal = _refusal(tmp_path, toml, dotenv)
        assert KEY not in refusal
        assert PASSWORD not in refusal


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = Settings.load(_write(tmp_path))
    with pytest.raises(ValueError, match="frozen"):
        settings.web.base_url = "https://other.example"
    with pytest.raises(ValueError, match="frozen"):
        settings.workspace = Path("/")


@pytest.mark.parametrize(
    ("mailbox", "name", "address"),
    [
        ("City Letters <news@b.org>", "City Letters", "news@b.org"),
        ('"Letters, City" <news@b.org>', "Letters, City", "news@b.org"),
        ("<news@b.org>", "", "news@b.org"),
        (" news@b.org ", "", "news@b.org"),
        ("Ville de Zürich <news@zürich.example>", "Ville de Zürich", "news@zürich.example"),
    ],
)
def test_the_sender_is_a_name_and_an_address(
    mailbox: str, name: str, address: str, tmp_path: Path
) -> None:
    sender = Settings.load(_write(tmp_path, f"[sender]\nfrom = '{mailbox}'")).sender
    assert sender.name == name
    assert sender.address.display == address
    assert sender.bounce_address == sender.address
    assert sender.reply_address is None


def test_answers_and_bounces_may_go_elsewhere(tmp_path: Path) -> None:
    toml = "[sender]\nreply_to = 'r@b.org'\nbounces = 'b@b.org'"
    sender = Settings.load(_write(tmp_path, toml)).sender
    assert sender.reply_address is not None
    assert sender.reply_address.key == "r@b.org"
    assert sender.bounce_address.key == "b@b.org"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///newsletter.db", "sqlite:///{}/newsletter.db"),
        ("sqlite:///sub/x.db", "sqlite:///{}/sub/x.db"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
        ("sqlite://", "sqlite://"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_a_database_lies_in_the_workspace(url: str, expected: str, tmp_path: Path) -> None:
    settings = Settings.load(_write(tmp_path, f"[database]\nurl = '{url}'"))
    assert settings.database_url == expected.format(tmp_path)


def test_a_workspace_is_found_from_below(tmp_path: Path) -> None:
    below = _write(tmp_path) / "issues" / "x"
    below.mkdir(parents=True)
    assert find_workspace(below) == tmp_path
    assert find_workspace(tmp_path) == tmp_path
    (below / "newsletter.toml").touch()
    assert find_workspace(below) == below


def test_no_workspace_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"no newsletter.toml in {tmp_path} or above")):
        find_workspace(tmp_path)


@pytest.mark.parametrize(
    ("mode", "is_open"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)]
)
def test_who_can_read_the_secrets(mode: int, is_open: object, tmp_path: Path) -> None:
    assert not is_env_file_open(tmp_path)
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(mode)
    assert is_env_file_open(tmp_path) is is_open


def test_the_file_of_a_new_workspace_has_no_mistake(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    settings = Settings.load(tmp_path)
    assert len(settings.secret_keys) == 1
    assert settings.sender.name == "Mayors Mechanism"
    assert not is_env_file_open(tmp_path)
