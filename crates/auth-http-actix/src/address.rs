//! Where a request comes from.
//!
//! Forwarding headers are believed only from proxies that the operator named (UI-20).

use actix_web::HttpRequest;
use std::net::{IpAddr, Ipv4Addr};

/// The address that a request comes from: the peer's, or, if that is a trusted proxy, the last one in
/// `X-Forwarded-For` that is not.
pub fn client_address(request: &HttpRequest, is_trusted: &dyn Fn(IpAddr) -> bool) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let mut address = peer;
    let headers = request.headers().get_all("x-forwarded-for").collect::<Vec<_>>();
    let hops = headers.iter().rev().flat_map(|header| {
        header.to_str().unwrap_or_default().rsplit(',').map(|hop| hop.trim().parse().ok())
    });
    for hop in hops {
        match hop {
            Some(hop) if is_trusted(address) => address = hop,
            _ => break,
        }
    }
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut request = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
        for value in forwarded {
            request = request.append_header(("X-Forwarded-For", *value));
        }
        let is_trusted = |address: IpAddr| trusted.contains(&address.to_string().as_str());
        client_address(&request.to_http_request(), &is_trusted).to_string()
    }

    /// UI-20
    #[test]
    fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
        assert_eq!(seen("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
        assert_eq!(seen("127.0.0.1", &["203.0.113.9"], &["127.0.0.1"]), "203.0.113.9");
        let spoofed = ["1.1.1.1, 203.0.113.9, 10.1.2.3"];
        assert_eq!(seen("127.0.0.1", &spoofed, &["127.0.0.1", "10.1.2.3"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1", "203.0.113.9"], &["127.0.0.1"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["nonsense"], &["127.0.0.1"]), "127.0.0.1");
    }
}
