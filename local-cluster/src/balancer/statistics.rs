//! What HAProxy and marathon-lb tell of themselves, as far as a deployment asks: which server of a
//! service gets connections, and how many are open (HAProxy's management guide, section 9.1).

use std::fmt::Write;

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};

use super::Balancer;

/// The columns up to the state.
const HEAD: &str = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,\n";

impl Balancer {
    /// `GET /haproxy?stats;csv` and `GET /_haproxy_getpids`.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/haproxy", get(statistics))
            .route("/_haproxy_getpids", get(processes))
            .with_state(self.clone())
    }
}

/// A process more, as long as there are connections that the statistics do not show any more.
async fn processes(State(balancer): State<Balancer>) -> String {
    let times = if balancer.lock().has_left_connections() { 2 } else { 1 };
    format!("{}\n", std::process::id()).repeat(times)
}

async fn statistics(State(balancer): State<Balancer>) -> impl IntoResponse {
    let mut text = HEAD.to_owned();
    for live in balancer.lock().services.values() {
        for server in &live.servers {
            let (name, port, open) = (&live.name, server.port, server.connections());
            let status = if server.open { "UP" } else { "MAINT" };
            let _ = writeln!(text, "{name},127_0_0_1_{port},0,,{open},,,,,,,,,,,,,{status},");
        }
    }
    ([(header::CONTENT_TYPE, "text/plain")], text)
}
