//! From a host port to a port inside a task's network. The listening socket, standard input,
//! belongs to the machine's network; connections are made from inside.

use std::{net::Ipv4Addr, os::fd::AsFd, time::Duration};

use tokio::net::{TcpListener, TcpStream};

/// Forwards until the task ends.
pub(super) fn run(port: &str) -> Result<(), String> {
    let failed =
        |error: std::io::Error| format!("the port can't be mapped: {}", pipe_oci::plain(&error));
    let port: u16 = port.parse().map_err(|_| format!("`{port}` is no port"))?;
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let listener = std::io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
    let listener = std::net::TcpListener::from(listener);
    listener.set_nonblocking(true).map_err(failed)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        loop {
            match listener.accept().await {
                Ok((outside, _)) => drop(tokio::spawn(connect(outside, port))),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    })
}

async fn connect(mut outside: TcpStream, port: u16) {
    let inside = match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        Ok(inside) => Ok(inside),
        Err(_) => TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, port)).await,
    };
    let Ok(mut inside) = inside else {
        // Nobody listens: the other end shall see that as a refusal, not as an empty answer.
        let _ = rustix::net::sockopt::set_socket_linger(&outside, Some(Duration::ZERO));
        return;
    };
    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
}
