//! Networks in CIDR notation (RFC 4632, RFC 4291 §2.3).

use super::problem::Complaint;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Network {
    first: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether the address lies in it. An IPv4 address counts as itself in its IPv6-mapped form too.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && masked(address, self.prefix) == self.first
    }
}

/// The address with all bits after the prefix zero.
fn masked(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

impl FromStr for Network {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let refused = || {
            let what = format!("contains what is no address or network: \"{text}\"");
            Complaint::new(what, "write an address or a network: \"127.0.0.1\", \"10.0.0.0/8\"")
        };
        let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = if text.contains('/') {
            let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
            let prefix = prefix.parse().ok().filter(|prefix| digits && *prefix <= longest);
            prefix.ok_or_else(refused)?
        } else {
            longest
        };
        if address.to_canonical() != address {
            // `contains` compares canonical addresses, so a mapped one would match nothing.
            return Err(refused());
        }
        let first = masked(address, prefix);
        if first != address {
            let what = format!("contains a network with stray bits: \"{text}\"");
            return Err(Complaint::new(what, format!("write \"{first}/{prefix}\"")));
        }
        Ok(Self { first, prefix })
    }
}

impl TryFrom<String> for Network {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        for (network, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1", "::ffff:127.0.0.1", "::1"),
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.127"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("fd00::/8", "fdff::1", "fe80::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("::1", "::1", "::2"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{inside} in {network:?}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside} in {network:?}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "::/129",
            "localhost",
            "10.0.0/8",
            "::ffff:10.0.0.1",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let stray = "10.1.2.3/8".parse::<Network>().unwrap_err();
        assert_eq!(stray.fix, "write \"10.0.0.0/8\"");
    }
}
