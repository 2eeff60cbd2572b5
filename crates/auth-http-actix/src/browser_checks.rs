//! What a form submission must look like to come from one of our own pages (UI-07).
//!
//! The CSRF token decides; these headers, which scripts cannot forge, are a second wall.

use actix_web::HttpRequest;
use actix_web::http::header;

/// Whether the browser's own words, where it speaks at all, say that our page sent this: `Origin`
/// ours or `null`, `Sec-Fetch-Site` `same-origin` or `none`.
pub fn is_from_own_page(request: &HttpRequest, own_origin: &str) -> bool {
    let all = |name: &str, good: &dyn Fn(&[u8]) -> bool| {
        request.headers().get_all(name).all(|value| good(value.as_bytes()))
    };
    all(header::ORIGIN.as_str(), &|origin| origin == b"null" || origin == own_origin.as_bytes())
        && all("sec-fetch-site", &|site| site == b"same-origin" || site == b"none")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    /// UI-07
    #[test]
    fn only_our_own_origin_passes() {
        let check = |headers: &[(&'static str, &'static str)]| {
            let request = headers
                .iter()
                .fold(TestRequest::post(), |request, header| request.append_header(*header));
            is_from_own_page(&request.to_http_request(), "https://as.test")
        };
        assert!(check(&[]));
        assert!(check(&[("Origin", "https://as.test"), ("Sec-Fetch-Site", "same-origin")]));
        assert!(check(&[("Origin", "null"), ("Sec-Fetch-Site", "none")]));
        for bad in [
            ("Origin", "https://evil.test"),
            ("Origin", "https://as.test.evil.test"),
            ("Origin", "http://as.test"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            assert!(!check(&[bad]), "{bad:?}");
        }
    }
}
