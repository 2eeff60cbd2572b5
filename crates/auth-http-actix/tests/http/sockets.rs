//! What only a real connection shows: raw bytes, bodies that are too large, answers without one.

use crate::harness::{Params, request};
use actix_web::rt::System;
use auth_http_actix::pages::Pages;
use auth_http_actix::{App, Limits, serve};
use auth_testkit::TestServer;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

/// A server on a port of its own, stopped when it is dropped.
struct Listening {
    address: SocketAddr,
    handle: actix_web::dev::ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || {
            System::new().block_on(async move {
                let pages = Pages::embedded().unwrap();
                let kit = TestServer::new();
                let app = App::new(kit.engine, pages, Limits::default(), || true).unwrap();
                let server = serve(app, listener, 1).unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { address, handle: receiver.recv().unwrap(), thread: Some(thread) }
    }

    /// Sends bytes on a connection of their own and reads what comes back until it ends.
    fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The server may hang up before it has read everything.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn send(&self, head: &str, body: &[u8]) -> (u16, String, String) {
        let head = format!(
            "{head}\r\nHost: as.test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        split(&self.exchange(&[head.as_bytes(), body].concat()))
    }

    #[track_caller]
    fn assert_alive(&self) {
        assert_eq!(self.send("GET /healthz HTTP/1.1", b"").0, 200);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Status, head in lower case, and body.
#[track_caller]
fn split(answer: &str) -> (u16, String, String) {
    let (head, body) =
        answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    (status.expect("a status"), head.to_lowercase(), body.to_owned())
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

/// TOKEN-13: the sender of too much gets to read why, with and without a length.
#[test]
fn an_oversized_body_is_answered_with_413() {
    let server = Listening::start();
    for size in [64 * 1024 + 1, 1_000_000] {
        let body = vec![b'x'; size];
        let (status, head, text) =
            server.send(&format!("POST /oauth/token HTTP/1.1\r\n{FORM}"), &body);
        assert_eq!(status, 413);
        assert!(head.contains("application/json") && text.contains("invalid_request"), "{head}");
        let (status, ..) = server.send(&format!("POST /login HTTP/1.1\r\n{FORM}"), &body);
        assert_eq!(status, 413);
        let mut chunked = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{FORM}\r\n\
             Transfer-Encoding: chunked\r\n\r\n"
        )
        .into_bytes();
        for chunk in body.chunks(10_000) {
            chunked.extend(format!("{:x}\r\n", chunk.len()).bytes());
            chunked.extend(chunk.iter().chain(b"\r\n"));
        }
        chunked.extend(b"0\r\n\r\n");
        assert_eq!(split(&server.exchange(&chunked)).0, 413);
    }
    server.assert_alive();
}

/// XC-09
#[test]
fn head_has_no_body_and_consumes_nothing() {
    let server = Listening::start();
    for (path, status) in [
        ("/login", 200),
        ("/", 200),
        ("/signed-out", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/assets/style.css", 200),
        ("/oauth/scopes", 200),
        ("/.well-known/oauth-authorization-server", 200),
        ("/oauth/authorize", 405),
        ("/v1/auth/authorize", 405),
        ("/oauth/interaction/x", 405),
        ("/oauth/consent", 405),
        ("/oauth/token", 405),
        ("/logout", 405),
        ("/nothing", 404),
    ] {
        let (told, head, body) = server.send(&format!("HEAD {path} HTTP/1.1"), b"");
        assert_eq!((told, body.as_str()), (status, ""), "{path}");
        assert!(head.contains("content-length: ") && !head.contains("content-length: 0"), "{path}");
        assert!(head.contains("x-content-type-options: nosniff"), "{path}");
    }
}

/// AUTHZ-25, XC-11: bytes that no URL library would send.
#[test]
fn raw_targets_are_answered() {
    let server = Listening::start();
    let good = request("web").encode();
    for (target, statuses) in [
        ("/oauth/authorize?client_id=\u{e9}", [400, 400]),
        ("/oauth/authorize?client_id=web<script>", [400, 400]),
        ("/oauth/authorize?client_id=web\"", [400, 400]),
        ("/oauth/authorize?client_id=a#b", [400, 400]),
        ("/oauth/authorize?a b", [400, 400]),
        ("/oauth/authorize?\0", [400, 400]),
        ("/oauth/authorize?%", [400, 400]),
        ("http://evil.test/oauth/scopes", [200, 400]),
        ("//evil.test/oauth/authorize", [404, 400]),
        ("/\\evil.test", [404, 400]),
        ("*", [404, 400]),
        (&format!("/oauth/authorize?{good}&x={}", "x".repeat(60_000)), [414, 414]),
        (&format!("/oauth/authorize?{good}&x={}", "x".repeat(100_000)), [400, 414]),
        (&format!("/oauth/authorize?{good}&x={}", "x".repeat(1_000_000)), [400, 431]),
    ] {
        let (status, head, _) = server.send(&format!("GET {target} HTTP/1.1"), b"");
        let shown: String = target.chars().take(60).collect();
        assert!(statuses.contains(&status), "{shown}: {status}");
        assert!(!head.contains("location:"), "{shown}");
        server.assert_alive();
    }
    let raw =
        b"GET /oauth/authorize?client_id=\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(split(&server.exchange(raw)).0, 400);
    server.assert_alive();
}

/// XC-11: neither garbage nor half a request ends the server.
#[test]
fn broken_connections_are_survived() {
    let server = Listening::start();
    for bytes in [
        &b""[..],
        b"\0",
        b"GET",
        b"\r\n\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf",
        b"POST /oauth/token HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST /oauth/token HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /oauth/token HTTP/1.1\r\nAuthorization: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nCookie: \xff=\xfe; __Host-auth_session=\x80\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        &[0xff; 4096],
    ] {
        let answer = server.exchange(bytes);
        assert!(!answer.contains("panicked") && !answer.starts_with("HTTP/1.1 5"), "{answer}");
        server.assert_alive();
    }
}

/// XC-07: a body that never comes to its end is given up, with its connection.
#[test]
fn a_body_that_stalls_is_given_up() {
    let server = Listening::start();
    let stalled = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: as.test\r\n{FORM}\r\nContent-Length: 99\r\n\r\na"
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(stalled.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer, and the end of the connection");
    let (status, _, body) = split(&answer);
    assert_eq!(status, 408);
    assert!(body.contains("\"error\":\"invalid_request\""), "{body}");
}

/// UI-20, META-03: over a real connection too, the Host header decides nothing.
#[test]
fn the_host_header_decides_nothing() {
    let server = Listening::start();
    let body = Params::of(&[("client_id", "web")]).encode();
    let post = format!(
        "POST /oauth/authorize HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n{FORM}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, head, _) = split(&server.exchange(post.as_bytes()));
    assert_eq!(status, 303);
    assert!(head.contains("location: /oauth/authorize?client_id=web"), "{head}");
}
