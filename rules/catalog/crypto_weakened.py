"""Cryptography that protects less."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rules import switches
from rules.findings import Finding, Tier
from rules.kinds import Kind
from rules.lines import Line
from rules.patterns import found, pattern
from rules.rule import Diff, Edit, Rule, visible

_STRONG_HASH = (
    rb"(?i)\b(?:sha-?_?(?:256|384|512)|sha3\w*|blake[23]\w*|bcrypt|scrypt|argon2\w*|pbkdf2\w*|password_hash)\b"
)
_WEAK_HASH = (
    rb"(?i)(?:\b|_)(?:md[245]|sha-?_?1)(?:\b|_|\()|\bcrypt_md5\b|Digest::(?:MD5|SHA1)|\bMD5\.Create|\bSHA1\.Create"
)
_WEAK_CIPHER = (
    rb"(?i)\bMODE_ECB\b|/ECB/|\bmodes\.ECB\(|-ecb[\"']|CipherMode\.ECB|\bNewECB\w*\(|(?-i:\bDES(?:ede)?[\"'/.])|\bdes\.New\w*Cipher\(|\brc4\.New\w*\(|\bARC4\b|"
    rb"[\"'](?:des|rc4|rc2|bf)(?:-(?:ede3?|cbc|ecb|cfb|ofb|40|64|128))*[\"']|\bTripleDES\b|\b3DES\b"
)
_BARE = rb"^[\"'](?:Des|des)[\"']$"  # a word of German and of French, too
_SPEAKS = rb"(?i)(?:cipher|crypt|algo|mode)\w*[\"']?\s*(?:\(|:=|=>|[=:])"  # a call, or what is assigned
_CONTEXT = rb"(?i)passw|secret|token|sign|hmac|auth|session|csrf|nonce|salt|otp|key|credential|cert|cookie|verif"
_RANDOM = rb"\brandom\.(?:random|randint|choice|choices|randrange|getrandbits|sample)\(|\bMath\.random\(|\bmt_rand\(|\brand\(|\bnew Random\(|\bmath/rand\b|\brand\.(?:Int\w*|Read|Seed)\(|\buniqid\(|\bRandom\.rand\b|\bKernel\.rand\b"
_SECURE = rb"(?i)\bsecrets\.\w+|SystemRandom|os\.urandom|crypto\.random\w+|randomBytes|getRandomValues|randomUUID|crypto/rand|SecureRandom|random_bytes\(|random_int\(|openssl_random|RandomNumberGenerator|OsRng|getrandom"
_STATIC = rb"(?i)\b(?:iv|nonce|salt|initialization_?vector)\w{0,12}\s*(?::=|=>|[=:])\s*(?:b?[\"'][^\"'\s]{8,64}[\"']|b?[\"']\\x00|bytes\(\d+\)|new byte\[\d+\]|make\(\[\]byte|Buffer\.alloc\()"
_COST = rb"(?i)\b((?:pbkdf2_?)?iterations?|rounds|bcrypt_?(?:cost|rounds|strength)|hash_?rounds|salt_?rounds|log_?rounds|stretches|cost(?:_factor)?|work_?factor|time_?cost|memory_?cost|key_?(?:size|bits|length|len)|modulus_?length|rsa_?bits|min_?(?:password|key)_?length)[\"']?\s*(?::=|=>|[=:(,])\s*(\d[\d_]{0,12})\b"
_TLS = rb"(?i)\b(?:TLSv1(?:[._]?[01])?|SSLv[23]|VersionTLS1[01]|VersionSSL30|Tls1[01]?|TLS1_(?:0|1)(?:_VERSION)?)\b"
_STRONG_TLS = rb"(?i)\bTLSv1[._]?[23]\b|VersionTLS1[23]|Tls1[23]\b|TLS1_[23]"


class _Swap(NamedTuple):
    """A weak thing that came; with `strong` in a lost line of the same file it took its place."""

    weak: bytes
    strong: bytes
    said: str
    alone: bool  # whether it weighs where nothing stronger went


_SWAPS = (
    _Swap(_WEAK_HASH, _STRONG_HASH, "a hash that can be forged", alone=False),
    _Swap(_WEAK_CIPHER, rb"(?i)\b(?:GCM|CBC|CTR|CCM|ChaCha20\w*|AESGCM|AESSIV)\b", "a cipher that hides little", alone=True),
    _Swap(_RANDOM, _SECURE, "randomness that can be guessed", alone=False),
    _Swap(_TLS, _STRONG_TLS, "a protocol version that is broken", alone=False),
    _Swap(_STATIC, _SECURE, "a value that must be new each time and is always the same", alone=False),
)  # fmt: skip


class CryptoWeakened(Rule):
    """Cryptography that protects less.

    ## What it does
    Holds what took the place of something stronger in the same file: MD5 or SHA-1 for SHA-2 or a password hash, ECB for a sound mode, guessable
    randomness for the system's, an old TLS version, a fixed IV or salt, and fewer rounds or shorter keys by number. ECB, DES and RC4 are held
    wherever they are new. A weak hash or guessable randomness that is new beside words such as password or token is a note.

    ## Why it matters
    It still looks encrypted, and every test still passes.

    ## Example
    `secrets.token_hex(16)` becomes `"%032x" % random.getrandbits(128)` in the code that makes reset links.

    ## What to do instead
    Keep the stronger one. Where speed was the reason, measure, and let an owner of the path decide.
    """

    id, slug, tier, since = "TH208", "crypto-weakened", Tier.HOLD, "0.1"
    triggers: ClassVar = (_WEAK_HASH, _WEAK_CIPHER, _RANDOM, _STATIC, _COST, _TLS)

    HOLDS: ClassVar = (
        Diff("app/link.py", "t = secrets.token_hex(16)\n", "t = hex(random.getrandbits(128))\n"),
        Diff("app/a.py", "h = hashlib.sha256(p)\n", "h = hashlib.md5(p)\n"),
        Diff("app/a.java", "x();\n", 'Cipher.getInstance("AES/ECB/PKCS5Padding");\n'),
        Diff("app/a.py", "kdf(p, salt)\niterations = 600_000\n", "kdf(p, salt)\niterations = 1000\n"),
        Diff("app/a.go", "MinVersion: tls.VersionTLS12,\n", "MinVersion: tls.VersionTLS10,\n"),
        Diff("app/a.py", "iv = os.urandom(16)\n", "iv = b'0123456789abcdef'\n"),
        Diff("app/a.js", "x();\n", "const c = crypto.createCipher('des', key);\n"),
        Diff("app/a.py", "x()\n", 'algorithm = "des"\n'),
    )
    PASSES: ClassVar = (
        Diff("app/cache.py", "", "key = hashlib.md5(path).hexdigest()\n"),
        Diff("app/a.py", "h = hashlib.md5(p)\n", "h = hashlib.sha256(p)\n"),
        Diff("app/a.py", "iterations = 1000\n", "iterations = 600_000\n"),
        Diff("app/words.py", "", 'STOP = ["der", "des", "dem", "den"]\n'),
        Diff("app/dice.py", "", "roll = random.randint(1, 6)\n"),
        Diff("tests/test_a.py", "h = hashlib.sha256(p)\n", "h = hashlib.md5(p)\n"),
    )

    def reads(self, edit: Edit) -> bool:
        return edit.is_code or edit.kind is Kind.DATA

    def check(self, edit: Edit) -> Iterator[Finding]:
        """Weak for strong, and smaller numbers."""
        tier = switches.weight(edit, self.tier) or Tier.NOTE
        for swap in _SWAPS:
            yield from self._swapped(edit, swap, tier)
        yield from self._cheaper(edit, tier)

    def _swapped(self, edit: Edit, swap: _Swap, tier: Tier) -> Iterator[Finding]:
        seen = [(line, what) for line, what in switches.on(edit, swap.weak) if not found(swap.strong, line.text)]
        came = [(line, what) for line, what in seen if not found(_BARE, what) or found(_SPEAKS, line.text)]
        if not came:
            return
        went = [line for line in edit.removed if found(swap.strong, line.text) and not switches.is_comment(line.text)]
        kept = _count(swap.strong, edit.changed.added) >= _count(swap.strong, edit.changed.removed)
        for line, what in came:
            replaced = bool(went) and not kept
            if replaced or swap.alone:
                yield self.came(edit, line.number, f"`{visible(what)}` is {swap.said}", tier=tier)
            elif found(_CONTEXT, line.text):
                yield self.came(edit, line.number, f"`{visible(what)}` is {swap.said}", tier=Tier.NOTE)

    def _cheaper(self, edit: Edit, tier: Tier) -> Iterator[Finding]:
        before = _numbers(edit.removed)
        for name, (number, line) in _numbers(edit.changed.added).items():
            old = before.get(name, (0, line))[0]
            if 0 < number < old:
                message = (
                    f"`{visible(name)}` goes from {old} to {number}: guessing becomes {_times(old, number)} cheaper"
                )
                yield self.came(edit, line.number, message, tier=tier if _is_crypto(edit, name) else Tier.NOTE)


def _count(text: bytes, lines: tuple[Line, ...]) -> int:
    return sum(1 for line in lines if found(text, line.text))


def _numbers(lines: tuple[Line, ...]) -> dict[bytes, tuple[int, Line]]:
    return {
        match.group(1).lower(): (int(match.group(2).replace(b"_", b"")), line)
        for line in lines
        if not switches.is_comment(line.text)
        for match in pattern(_COST).finditer(line.text[:1000])
    }


def _is_crypto(edit: Edit, name: bytes) -> bool:
    """Iterations and costs of anything else are no business of this rule."""
    plain = name in (
        b"iterations",
        b"iteration",
        b"rounds",
        b"cost",
        b"key_length",
        b"keylength",
        b"key_len",
        b"cost_factor",
    )
    return not plain or found(rb"(?i)hash|passw|crypt|pbkdf|kdf|hmac|cipher|salt", edit.new.data[:200_000])


def _times(old: int, new: int) -> str:
    return f"{old / new:.1f} times" if old < 100_000 * new else "very much"
