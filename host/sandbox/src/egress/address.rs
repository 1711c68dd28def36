//! Addresses that are not somewhere on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The one form of an address: an IPv4 address that is mapped into IPv6 is the IPv4 address.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What a special address is, or `None` for an ordinary one.
///
/// The ranges are those of the IANA special-purpose registries (RFC 6890 and its updates) and multicast.
/// An IPv6 address that carries an IPv4 address (mapped, compatible, NAT64 of RFC 6052, 6to4) is what that
/// one is.
pub(crate) fn special(address: IpAddr) -> Option<&'static str> {
    match canonical(address) {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

/// Whether a name stands for the loopback addresses, whatever a resolver says (RFC 6761, section 6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// The addresses of `localhost`.
pub(crate) const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

const V4: [([u8; 4], u8, &str); 15] = [
    ([0, 0, 0, 0], 8, "an unspecified address"),
    ([10, 0, 0, 0], 8, "a private address"),
    (
        [100, 64, 0, 0],
        10,
        "a shared address of a carrier (RFC 6598)",
    ),
    ([127, 0, 0, 0], 8, "a loopback address"),
    ([169, 254, 0, 0], 16, "a link-local address"),
    ([172, 16, 0, 0], 12, "a private address"),
    ([192, 0, 0, 0], 24, "an address for protocols"),
    ([192, 0, 2, 0], 24, "an address for documentation"),
    ([192, 88, 99, 0], 24, "an address of 6to4 relays"),
    ([192, 168, 0, 0], 16, "a private address"),
    ([198, 18, 0, 0], 15, "an address for benchmarks"),
    ([198, 51, 100, 0], 24, "an address for documentation"),
    ([203, 0, 113, 0], 24, "an address for documentation"),
    ([224, 0, 0, 0], 4, "a multicast address"),
    ([240, 0, 0, 0], 4, "a reserved address"),
];

const V6: [([u16; 8], u8, &str); 12] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, "an unspecified address"),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, "a loopback address"),
    (
        [0x64, 0xff9b, 1, 0, 0, 0, 0, 0],
        48,
        "an address of local translation (RFC 8215)",
    ),
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "a discard address"),
    (
        [0x2001, 0, 0, 0, 0, 0, 0, 0],
        23,
        "an address for protocols",
    ),
    (
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0],
        32,
        "an address for documentation",
    ),
    (
        [0x3fff, 0, 0, 0, 0, 0, 0, 0],
        20,
        "an address for documentation",
    ),
    (
        [0x5f00, 0, 0, 0, 0, 0, 0, 0],
        16,
        "an address of segment routing",
    ),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "a private address"),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "a link-local address"),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "a site-local address"),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "a multicast address"),
];

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let within =
        |network: [u8; 4], length: u8| (bits ^ u32::from_be_bytes(network)) >> (32 - length) == 0;
    V4.into_iter()
        .find(|(network, length, _)| within(*network, *length))
        .map(|(_, _, name)| name)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let within = |network: [u16; 8], length: u8| {
        (bits ^ Ipv6Addr::from(network).to_bits()) >> (128 - u32::from(length)) == 0
    };
    if let Some((_, _, name)) = V6
        .into_iter()
        .find(|(network, length, _)| within(*network, *length))
    {
        return Some(name);
    }
    embedded_v4(address).and_then(special_v4)
}

/// The IPv4 address that an IPv6 address leads to.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match (a, b, c, d, e, f) {
        // IPv4-compatible (RFC 4291, deprecated), and translated (RFC 2765).
        (0, 0, 0, 0, 0, 0) | (0, 0, 0, 0, 0xffff, 0) => Some(join(g, h)),
        // NAT64's well-known prefix (RFC 6052).
        (0x64, 0xff9b, 0, 0, 0, 0) => Some(join(g, h)),
        // 6to4 (RFC 3056).
        (0x2002, ..) => Some(join(b, c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_named() {
        for (address, expected) in [
            ("127.0.0.1", "a loopback address"),
            ("127.255.255.254", "a loopback address"),
            ("0.0.0.0", "an unspecified address"),
            ("10.1.2.3", "a private address"),
            ("172.16.0.1", "a private address"),
            ("172.31.255.255", "a private address"),
            ("192.168.1.1", "a private address"),
            ("169.254.169.254", "a link-local address"),
            ("100.64.0.1", "a shared address of a carrier (RFC 6598)"),
            (
                "100.127.255.255",
                "a shared address of a carrier (RFC 6598)",
            ),
            ("192.0.0.8", "an address for protocols"),
            ("198.19.0.1", "an address for benchmarks"),
            ("224.0.0.1", "a multicast address"),
            ("255.255.255.255", "a reserved address"),
            ("::", "an unspecified address"),
            ("::1", "a loopback address"),
            ("::ffff:127.0.0.1", "a loopback address"),
            ("::ffff:10.0.0.1", "a private address"),
            ("::127.0.0.1", "a loopback address"),
            ("::ffff:0:7f00:1", "a loopback address"),
            ("64:ff9b::7f00:1", "a loopback address"),
            ("64:ff9b::a9fe:a9fe", "a link-local address"),
            ("64:ff9b:1::1", "an address of local translation (RFC 8215)"),
            ("2002:7f00:1::", "a loopback address"),
            ("2002:c0a8:101::1", "a private address"),
            ("2001::1", "an address for protocols"),
            ("2001:db8::1", "an address for documentation"),
            ("fd00::1", "a private address"),
            ("fe80::1", "a link-local address"),
            ("fec0::1", "a site-local address"),
            ("ff02::1", "a multicast address"),
        ] {
            assert_eq!(
                special(address.parse().unwrap()),
                Some(expected),
                "{address}"
            );
        }
    }

    #[test]
    fn ordinary_addresses_are_not() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "::ffff:1.1.1.1",
        ] {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn localhost_is_a_name_and_its_children() {
        assert!(is_localhost("localhost") && is_localhost("app.localhost"));
        assert!(!is_localhost("localhost.example.org") && !is_localhost("mylocalhost"));
    }
}
