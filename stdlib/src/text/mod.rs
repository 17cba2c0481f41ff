//! `text.…`: regular expressions, and texts for other places.

mod regex;

use crate::core::module;

module! {
    "Regular expressions, and texts made fit for other places."
    text: matches, find, find_all, replace, url_encode
}
