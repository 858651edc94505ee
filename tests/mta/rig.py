"""A real Postfix of one's own, which puts everything it takes into one real Maildir.

Nothing of ``/etc`` is touched and nothing can leave: every domain is local, and every way out is
``error:``. It offers STARTTLS and takes mail only after a login, as a server for submission does.
It needs root (its master gives up its rights itself) and the package ``postfix``, nothing else:
its own ``virtual`` writes the Maildir, and whether a password is right it asks ``Passwords``.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import socketserver
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.mta.passwords import USER, Passwords

_SEARCHED = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
#: Owns the delivered mail; nobody of that number has to exist.
_MAIL_UID = 65534
_START_S = 15
#: Ends by itself after so long, should the tests be killed.
_LIFE_S = 900
#: The lines that servers on the way put in front of a message (RFC 5321 section 4.4).
_TRACE = (b"return-path:", b"x-original-to:", b"delivered-to:", b"received:")

_MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/log/mail.log
maillog_file_prefixes = {root}/log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {hostname}
mydestination =
mynetworks =
local_recipient_maps =
alias_maps =
alias_database =
virtual_mailbox_domains = static:here
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = {root}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_transport = virtual
default_transport = error:5.4.4 nothing leaves this machine
relay_transport = error:5.4.4 nothing leaves this machine
local_transport = error:5.4.4 nothing leaves this machine
smtp_dns_support_level = disabled
smtputf8_enable = yes
recipient_delimiter = +
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_sasl_authenticated_header = yes
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtpd_tls_chain_files = {root}/chain.pem
smtpd_tls_session_cache_database =
notify_classes =
"""
_MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
proxymap   unix  - - n - - proxymap
error      unix  - - n - - error
retry      unix  - - n - - error
virtual    unix  - n n - - virtual
anvil      unix  - - n - 1 anvil
tlsmgr     unix  - - n 1000? 1 tlsmgr
postlog    unix-dgram n - n - 1 postlogd
"""


def is_root() -> bool:
    """Whether this is Linux, and we may do everything."""
    return sys.platform == "linux" and os.geteuid() == 0


def why_not() -> str:
    """Why there can be no Postfix here, or nothing where there can."""
    if not is_root():
        return "Postfix can only be started by root, on Linux"
    if shutil.which("postfix", path=_SEARCHED) is None:
        return "the package postfix is not installed"
    return ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message in the Maildir: the bytes of its file."""

    content: bytes

    def trace(self, name: str) -> str:
        """A header that a server on the way has put in front, unfolded."""
        pattern = rb"^%s: ?(.*(?:\n[ \t].*)*)" % re.escape(name.encode())
        found = re.search(pattern, self.content, re.MULTILINE | re.IGNORECASE)
        assert found is not None, f"there is no {name}"
        return " ".join(found[1].decode().split())

    @property
    def recipient(self) -> str:
        return self.trace("Delivered-To")

    @property
    def sent_bytes(self) -> bytes:
        """The message behind the trace; lines end as on this machine."""
        lines = self.content.replace(b"\r\n", b"\n").splitlines(keepends=True)
        start = 0
        while lines[start].lower().startswith(_TRACE):
            start += 1
            while lines[start].startswith((b" ", b"\t")):
                start += 1
        return b"".join(lines[start:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Postfix:
    """A Postfix at work.

    Attributes:
        root: the folder of all that is its own.
        authority: the only file that vouches for its certificate.
    """

    root: Path
    port: int
    hostname: str
    authority: Path

    @property
    def url(self) -> str:
        return f"smtp://{USER.replace('@', '%40')}@127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.root / "log" / "mail.log"

    @property
    def delivered(self) -> list[Delivered]:
        return [Delivered(path.read_bytes()) for path in self._files()]

    def wait_for(self, number: int) -> list[Delivered]:
        """What is in the mailbox as soon as there are so many and the queue is empty."""
        wait_until(lambda: len(self._files()) >= number and not self._has_queue(), self.log)
        return self.delivered

    def wait_for_log(self, text: str) -> None:
        wait_until(lambda: text in self.log.read_text(), self.log)

    def empty(self) -> None:
        """Throw away what is in the mailbox."""
        wait_until(lambda: not self._has_queue(), self.log)
        for path in self._files():
            path.unlink()

    def _files(self) -> list[Path]:
        return sorted((self.root / "mail" / "inbox" / "new").glob("*"))

    def _has_queue(self) -> bool:
        queues = ("incoming", "active", "deferred")
        return any(
            _is_whole(path) for queue in queues for path in (self.root / "queue" / queue).rglob("*")
        )


def _is_whole(path: Path) -> bool:
    """Whether this is a message that Postfix has taken; it marks those as executable."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)


@contextmanager
def running_postfix() -> Iterator[Postfix]:
    """A Postfix that is gone afterwards, with all that it started and wrote."""
    # Not pytest's folder: Postfix's own user must be able to come in.
    root = Path(tempfile.mkdtemp(prefix="newsletter-mta-"))
    try:
        root.chmod(0o755)
        passwords = Passwords()
        with _serving(passwords):
            postfix = _configure(root, auth_port=passwords.server_address[1])
            with _master(postfix):
                yield postfix
    finally:
        shutil.rmtree(root)


def _configure(root: Path, *, auth_port: int) -> Postfix:
    for name in ("etc", "queue", "data", "log", "mail"):
        (root / name).mkdir(mode=0o755)
    shutil.chown(root / "data", "postfix")
    os.chown(root / "mail", _MAIL_UID, _MAIL_UID)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(root / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        root / "chain.pem"
    )
    postfix = Postfix(
        root=root,
        port=_free_port(),
        hostname=f"mx-{secrets.token_hex(4)}.rig.example",
        authority=root / "authority.pem",
    )
    values = {
        "root": root,
        "hostname": postfix.hostname,
        "port": postfix.port,
        "auth_port": auth_port,
        "uid": _MAIL_UID,
    }
    (root / "etc" / "main.cf").write_text(_MAIN_CF.format_map(values))
    (root / "etc" / "master.cf").write_text(_MASTER_CF.format_map(values))
    return postfix


@contextmanager
def _master(postfix: Postfix) -> Iterator[None]:
    etc = postfix.root / "etc"
    _run("postfix", "-c", etc, "check")
    daemons = _run("postconf", "-c", etc, "-h", "daemon_directory").strip()
    # Its own session: what ends it sends the signal to its whole process group.
    process = subprocess.Popen(
        [Path(daemons) / "master", "-c", etc, "-s", "-e", str(_LIFE_S)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for_banner(postfix, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        finally:
            _end_group(process.pid)
            process.wait(timeout=10)


def _run(command: str, *arguments: str | Path) -> str:
    path = shutil.which(command, path=_SEARCHED)
    assert path is not None
    ended = subprocess.run(
        [path, *arguments], check=False, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def _wait_for_banner(postfix: Postfix, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_S
    while True:
        assert process.poll() is None, postfix.log.read_text()
        try:
            with socket.create_connection(("127.0.0.1", postfix.port), timeout=5) as connection:
                banner = connection.makefile("rb").readline()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, postfix.log.read_text()
            time.sleep(0.02)
    # Two servers can share a port and split its connections without a word.
    assert postfix.hostname.encode() in banner, f"somebody else is at {postfix.port}: {banner!r}"


def _end_group(group: int) -> None:
    """Its daemons have had the signal already; wait until they are gone."""
    deadline = time.monotonic() + 5
    while True:
        try:
            os.killpg(group, signal.SIGKILL if time.monotonic() > deadline else 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < deadline + 5, "Postfix does not end"
        time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    with server:
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def wait_until(is_so: Callable[[], bool], log: Path, *, timeout_s: float = 20) -> None:
    """Wait for Postfix to bring something about."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.02)
