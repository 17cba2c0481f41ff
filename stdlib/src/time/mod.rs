//! `time.…`: the clock.

use crate::core::module;

module! {
    "The clock."
    time: now, today, sleep
}
