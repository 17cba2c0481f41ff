//! The binary from end to end.

#![allow(missing_docs)]

mod suites {
    mod blue_green;
    mod cases;
    mod crashes;
    mod demo;
    mod engine;
    mod mesos;
    mod signals;
}
