//! The load balancer: what marathon-lb and its HAProxy are to a real cluster, as far as the
//! connection goes. Apps with the label `HAPROXY_GROUP`, whichever it names, answer at their
//! service port of the loop-back address.

mod serve;
mod statistics;
mod table;

pub(crate) use serve::Balancer;
pub(crate) use table::{Served, ServedTask};
