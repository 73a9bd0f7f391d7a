"""Keys as people paste them."""

import asyncssh
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sphinx.core.errors import ServerRejected
from sphinx.core.ssh_keys import parse_host_keys, parse_private_key, without_passphrase

ED25519 = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()[1]
ECDSA = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode().split()[1]
RSA = asyncssh.generate_private_key("ssh-rsa").export_public_key().decode().split()[1]
PASSPHRASE = "phrase secrète"
PRIVATE = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa": ec.generate_private_key(ec.SECP384R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
}
_PEM = serialization.Encoding.PEM
FORMATS = {
    "PKCS#8": serialization.PrivateFormat.PKCS8,
    "OpenSSH": serialization.PrivateFormat.OpenSSH,
    "PEM": serialization.PrivateFormat.TraditionalOpenSSL,
}


def written(key: str, form: str, passphrase: str = "") -> str:
    how = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    return PRIVATE[key].private_bytes(_PEM, FORMATS[form], how).decode()


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (f"ssh-ed25519 {ED25519}", ["ssh-ed25519"]),
        (f"ssh-ed25519 {ED25519} root@serveur de l'hébergeur", ["ssh-ed25519"]),
        (f"  ssh-ed25519   {ED25519}\r\n", ["ssh-ed25519"]),
        (f"sftp.exemple.test ssh-ed25519 {ED25519}", ["ssh-ed25519"]),
        (f"[sftp.exemple.test]:2222 ssh-ed25519 {ED25519}", ["ssh-ed25519"]),
        (
            f"|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa {RSA}",
            ["ssh-rsa"],
        ),
        (
            f"# h:22 SSH-2.0-OpenSSH_9.2\nh ssh-rsa {RSA}\n# h:22 SSH-2.0-OpenSSH_9.2\n"
            f"h ecdsa-sha2-nistp256 {ECDSA}\n\nh ssh-ed25519 {ED25519}\n",
            ["ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519"],
        ),
        (f"h ssh-dss AAAA\nh ssh-ed25519 {ED25519}", ["ssh-ed25519"]),
    ],
    ids="bare comment spaces host port hashed scan old".split(),
)
def test_a_host_key_in_any_of_its_forms(text: str, kinds: list[str]) -> None:
    assert [key.get_name() for key in parse_host_keys(text)] == kinds


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "# h:22 SSH-2.0", "ssh-ed25519 AAAA", "h x y"])
def test_what_is_no_host_key_is_refused(text: str) -> None:
    with pytest.raises(ServerRejected, match="ssh-keyscan"):
        parse_host_keys(text)


@pytest.mark.parametrize("key", PRIVATE)
@pytest.mark.parametrize("form", FORMATS)
def test_a_private_key_of_each_format(key: str, form: str) -> None:
    if (key, form) == ("ed25519", "PEM"):
        pytest.skip("there is no such format")
    text = written(key, form)

    found = parse_private_key("  " + text.replace("\n", " \r\n"))

    mine = PRIVATE[key].public_key()
    openssh = serialization.PublicFormat.OpenSSH
    assert found.get_base64() in mine.public_bytes(serialization.Encoding.OpenSSH, openssh).decode()


@pytest.mark.parametrize("form", FORMATS)
def test_a_passphrase_opens_the_key_once(form: str) -> None:
    text = written("rsa", form, PASSPHRASE)

    kept = without_passphrase(text, PASSPHRASE)

    assert parse_private_key(kept) == parse_private_key(written("rsa", form))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("passphrase", "code"),
    [("", "server.locked_private_key"), ("autre", "server.bad_passphrase")],
)
def test_a_locked_key_says_what_is_missing(form: str, passphrase: str, code: str) -> None:
    with pytest.raises(ServerRejected) as raised:
        parse_private_key(written("rsa", form, PASSPHRASE), passphrase)

    assert raised.value.code == code


def test_a_passphrase_that_isnt_needed_is_no_fault() -> None:
    assert without_passphrase(written("ed25519", "OpenSSH"), "inutile")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("n'importe quoi", "illisible"),
        (f"ssh-ed25519 {ED25519}", "publique"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none", "PuTTY"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            "illisible",
        ),
    ],
    ids="nothing public putty broken".split(),
)
def test_what_is_no_private_key_says_what_it_is(text: str, said: str) -> None:
    with pytest.raises(ServerRejected, match=said):
        parse_private_key(text)


def test_a_key_of_a_kind_that_ssh_gave_up_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import dsa

    key = dsa.generate_private_key(2048)
    text = key.private_bytes(_PEM, FORMATS["PKCS#8"], serialization.NoEncryption()).decode()

    with pytest.raises(ServerRejected, match="plus acceptée"):
        parse_private_key(text)
