"""HTTPS with one trusted authority, against a real server on the loopback."""

import contextlib
import datetime
import hashlib
import http.server
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keyturn.agent.transport import PinnedHttps, fetch_authority
from keyturn.model.errors import Refused
from keyturn.wire.agent import AUTHORITY, MAX_ANSWER, NoAnswer
from keyturn.wire.signing import Request

DAY = datetime.timedelta(days=1)


def certificate(name, key, issuer=None, issuer_key=None, *, ca=False):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return builder.sign(issuer_key or key, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def private(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body, status, headers = self.server.answers.get(self.path, (self.path.encode(), 200, {}))
        self.server.seen.append(
            (self.path, dict(self.headers), self.rfile.read(int(self.headers["content-length"] or 0)))
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    connections = 0

    def get_request(self):
        accepted = super().get_request()
        self.connections += 1
        return accepted

    def handle_error(self, *_):
        pass


@pytest.fixture(scope="module")
def authority():
    key = ec.generate_private_key(ec.SECP256R1())
    return key, certificate("site PHX", key, ca=True)


@pytest.fixture
def server(authority, tmp_path):
    ca_key, ca = authority
    key = ec.generate_private_key(ec.SECP256R1())
    chain = tmp_path / "server.pem"
    chain.write_text(private(key) + pem(certificate("localhost", key, ca, ca_key)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server = Server(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.answers, server.seen = {AUTHORITY: (pem(ca).encode(), 200, {})}, []
    server.url = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def request(path="/x", query=None, method="GET", body=b""):
    return Request(method, "localhost", path, query, body)


def test_what_is_sent_is_what_was_signed(server, authority):
    ask = PinnedHttps(server.url, pem(authority[1]))
    reply = ask(request("/a%5Cb%2Fc", "q=%5C&r", "POST", b"body"), {"x-mine": "1"})
    assert (reply.status, reply.body) == (200, b"/a%5Cb%2Fc?q=%5C&r")
    path, headers, body = server.seen[0]
    assert (path, headers["x-mine"], body) == ("/a%5Cb%2Fc?q=%5C&r", "1", b"body")
    assert headers["Host"] == server.url.removeprefix("https://")


def test_contacts_that_follow_closely_share_a_connection(server, authority):
    ask = PinnedHttps(server.url, pem(authority[1]))
    for _ in range(3):
        ask(request(), {})
    assert server.connections == 1


def test_a_server_under_another_authority_is_not_asked(server):
    other = certificate("site PHX", ec.generate_private_key(ec.SECP256R1()), ca=True)
    with pytest.raises(NoAnswer, match="certificate"):
        PinnedHttps(server.url, pem(other))(request(), {"authorization": "Basic secret"})
    assert server.seen == []


def test_a_server_of_another_name_is_not_asked(server, authority):
    with pytest.raises(NoAnswer):
        PinnedHttps(server.url.replace("localhost", "127.0.0.1"), pem(authority[1]))(request(), {})
    assert server.seen == []


def test_an_older_tls_is_not_spoken(server, authority):
    server.socket.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(NoAnswer):
        PinnedHttps(server.url, pem(authority[1]))(request(), {})


def test_a_redirect_is_not_followed(server, authority):
    server.answers["/x"] = (b"", 302, {"Location": "/elsewhere"})
    assert PinnedHttps(server.url, pem(authority[1]))(request(), {}).status == 302
    assert len(server.seen) == 1


def test_an_answer_without_end_is_cut_off(server, authority):
    server.answers["/x"] = (b"x" * (MAX_ANSWER + 1), 200, {})
    with pytest.raises(NoAnswer, match="too long"):
        PinnedHttps(server.url, pem(authority[1]))(request(), {})


def test_a_server_that_is_not_there_gives_no_answer(authority):
    with pytest.raises(NoAnswer, match=r"the site did not answer: Connection refused$"):
        PinnedHttps("https://localhost:1", pem(authority[1]))(request(), {"authorization": "Basic secret"})


def test_what_is_no_certificate_is_trusted_by_nobody():
    with pytest.raises(Refused):
        PinnedHttps("https://localhost:1", "not a certificate")


def test_an_authority_is_fetched_by_its_fingerprint(server, authority):
    der = authority[1].public_bytes(serialization.Encoding.DER)
    print_ = hashlib.sha256(der).hexdigest()
    with_colons = ":".join(print_[i : i + 2] for i in range(0, 64, 2)).upper()
    for written in (print_, with_colons, f"sha256 Fingerprint={with_colons}\n"):
        assert ssl.PEM_cert_to_DER_cert(fetch_authority(server.url, written)) == der


def test_an_authority_of_another_fingerprint_is_refused(server):
    with pytest.raises(Refused, match="fingerprint"):
        fetch_authority(server.url, "00" * 32)


@pytest.mark.parametrize("answer", [(b"", 404, {}), (b"hello", 200, {}), (b"\xff", 200, {})])
def test_what_is_no_authority_is_no_answer(server, answer):
    server.answers[AUTHORITY] = answer
    with pytest.raises(NoAnswer):
        fetch_authority(server.url, "00" * 32)
