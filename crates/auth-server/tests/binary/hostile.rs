//! Bytes that no client sends.

use crate::support::http::{self, connect, exchange};
use crate::support::server::Process;
use crate::{at_once, site};
use std::io::{Read as _, Write as _};

#[track_caller]
fn is_well(process: &mut Process) {
    assert!(process.is_alive(), "it ended:\n{}", process.output());
    assert_eq!(process.get("/healthz").expect("an answer").status, 200);
    assert!(!process.output().contains("panicked"), "{}", process.output());
}

/// XC-11
#[test]
fn broken_http_harms_nobody() {
    let (_site, _client, mut process) = site(&[]);
    let header = "x".repeat(200_000);
    let host = "Host: 127.0.0.1";
    for bytes in [
        "\r\n\r\n\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        format!("GET http://evil.test/ HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n"),
        format!("CONNECT evil.test:443 HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n"),
        format!("GET /{header} HTTP/1.1\r\n{host}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\nX-Long: {header}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}\r\n{}\r\n", "X: y\r\n".repeat(5_000)),
        format!("POST /oauth/token HTTP/1.1\r\n{host}\r\nContent-Length: -1\r\n\r\n"),
        format!(
            "POST /oauth/token HTTP/1.1\r\n{host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
        ),
        format!(
            "POST /oauth/token HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\nffffffffffffffff1\r\n"
        ),
        format!(
            "POST /oauth/token HTTP/1.1\r\n{host}\r\nContent-Length: 4\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n"
        ),
    ] {
        let mut stream = connect(process.address).expect("a connection");
        // The server may have seen enough before everything is sent.
        let _ = stream.write_all(bytes.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut raw = Vec::new();
        let _ = stream.read_to_end(&mut raw);
        if let Some(answer) = http::parse(&raw) {
            assert!((200..500).contains(&answer.status), "{answer:?} to {bytes:.80}");
        }
        is_well(&mut process);
    }
}

/// XC-11: clients that are slow, go away in the middle, or ask for everything at once.
#[test]
fn slow_and_hasty_clients_harm_nobody() {
    let (_site, _client, mut process) = site(&[]);
    let begun = "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=";
    let slow: Vec<_> = (0..200)
        .map(|index| {
            let mut stream = connect(process.address).expect("a connection");
            let part = if index % 2 == 0 { &begun[..20] } else { begun };
            stream.write_all(part.as_bytes()).expect("sent");
            stream
        })
        .collect();
    is_well(&mut process);
    drop(slow);
    let one = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let last = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let pipelined = one.repeat(99) + last;
    let raw = exchange(process.address, pipelined.as_bytes()).expect("answers");
    let answers = String::from_utf8_lossy(&raw).matches("HTTP/1.1 200 OK").count();
    assert_eq!(answers, 100);
    is_well(&mut process);
}

/// Numbers that look random and are the same in every run (xorshift64*).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A mixture of what the server knows and of any bytes at all.
    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < longest && self.below(12) != 0 {
            match self.below(3) {
                0 => bytes.extend(self.one(&WORDS).as_bytes()),
                1 => bytes.push(self.next() as u8),
                _ => bytes.extend((0..self.below(20)).map(|_| self.next() as u8)),
            }
        }
        bytes
    }
}

const PATHS: [&str; 18] = [
    "/oauth/authorize",
    "/oauth/consent",
    "/oauth/token",
    "/oauth/scopes",
    "/oauth/interaction/x",
    "/v1/auth/authorize",
    "/v1/auth/consent",
    "/v1/auth/token",
    "/v1/auth/scopes",
    "/login",
    "/logout",
    "/signed-out",
    "/",
    "/healthz",
    "/readyz",
    "/assets/style.css",
    "/.well-known/oauth-authorization-server",
    "/nothing",
];

const METHODS: [&str; 8] = ["GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "x"];

const TYPES: [&str; 6] = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded",
    "application/json",
    "application/json; charset=utf-8",
    "multipart/form-data; boundary=x",
    "\u{ff}/;=,",
];

const WORDS: [&str; 40] = [
    "client_id=",
    "CLIENT",
    "client_secret=",
    "redirect_uri=",
    "https%3A%2F%2Frp.test%2Fcb",
    "scope=",
    "projects%3Aread",
    "state=",
    "response_type=code",
    "code_challenge=",
    "code_challenge_method=S256",
    "prompt=none",
    "prompt=login",
    "grant_type=authorization_code",
    "grant_type=refresh_token",
    "code=",
    "refresh_token=",
    "code_verifier=",
    "csrf_token=",
    "decision=approve",
    "username=alice",
    "password=",
    "interaction=",
    "&",
    "&",
    "&",
    "&",
    "=",
    "%",
    "%00",
    "%0d%0a",
    "%ff",
    "+",
    "{\"",
    "\":\"",
    "\",\"",
    "\"}",
    "[[[[",
    "\\u0000",
    "auth_session=",
];

/// XC-11: thousands of requests of arbitrary bytes to every endpoint: an answer to each, none of them a
/// fault of ours.
#[test]
fn arbitrary_bytes_cause_no_fault() {
    let lenient = "1000000";
    let (_site, client, mut process) = site(&[
        ("AUTH__LIMITS__FAILED_CLIENT_AUTHENTICATIONS", lenient),
        ("AUTH__LIMITS__FAILED_SIGN_INS_PER_ADDRESS", lenient),
        ("AUTH__LOG__FILTER", "error"),
    ]);
    let address = process.address;
    at_once(4, |seed| {
        let mut noise = Noise(0x9E37_79B9_7F4A_7C15 ^ ((seed as u64 + 1) << 32));
        for round in 0..1_000 {
            let mut head = format!("{} {}", noise.one(&METHODS), noise.one(&PATHS)).into_bytes();
            if noise.below(2) == 0 {
                head.push(b'?');
                head.extend(noise.bytes(300));
            }
            // No byte may end the request line before its time.
            head.retain(|byte| !matches!(byte, b'\r' | b'\n'));
            head.extend(b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
            head.extend(format!("Content-Type: {}\r\n", noise.one(&TYPES)).into_bytes());
            for name in
                ["Cookie: auth_browser=", "Authorization: Basic ", "Origin: ", "X-Forwarded-For: "]
            {
                if noise.below(4) == 0 {
                    let mut value = noise.bytes(60);
                    value.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
                    head.extend([name.as_bytes(), &value, b"\r\n"].concat());
                }
            }
            let body = noise.bytes(500);
            head.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
            let text = [head, body].concat();
            let text = replace(&text, b"CLIENT", client.id.as_bytes());
            let raw = exchange(address, &text).unwrap_or_default();
            let shown = String::from_utf8_lossy(&text);
            let status = String::from_utf8_lossy(raw.get(9..12).unwrap_or_default()).into_owned();
            assert!(!raw.is_empty(), "no answer in round {round} of {seed} to {shown:?}");
            assert!(!status.starts_with('5'), "{status} in round {round} of {seed} to {shown:?}");
        }
    });
    is_well(&mut process);
    assert_eq!(process.output(), "", "nothing is an error of ours");
}

/// The bytes with each `from` replaced; the length of a body that changes with it no longer fits, which
/// is one more thing to get wrong.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend(to);
            rest = after;
        } else {
            out.push(*first);
            rest = &rest[1..];
        }
    }
    out
}
