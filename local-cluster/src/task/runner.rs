//! The outermost process of a task.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::fd::OwnedFd,
    path::Path,
    process::{Child, Stdio},
};

use rustix::{
    process::{Pid, WaitOptions, wait},
    thread::UnshareFlags,
};

use super::{
    again, network, note,
    spec::{Forward, Report, Spec},
    unsafe_calls::unshare,
};

/// Runs a task to its end.
pub(super) fn run(file: &Path) -> Result<(), String> {
    let started = Spec::read(file).and_then(|spec| start(&spec));
    let init = match started {
        Ok(init) => init,
        Err(message) => {
            Report::Failed { message: message.clone() }.send();
            return Err(message);
        }
    };
    // Forwarders are collected too, and first: the kernel keeps the first process of a PID
    // namespace until nothing else is left in it.
    let init = Pid::from_child(&init);
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, _))) if pid == init => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("can't wait for the task: {error}")),
        }
    }
}

fn start(spec: &Spec) -> Result<Child, String> {
    // The sockets stay in the network of the machine, whichever this process moves to.
    let listeners: Vec<(Forward, TcpListener)> = spec
        .forwards
        .iter()
        .map(|forward| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, forward.host));
            listener.map(|listener| (*forward, listener)).map_err(|error| {
                format!("can't listen on port {}: {}", forward.host, pipe_oci::plain(&error))
            })
        })
        .collect::<Result<_, _>>()?;
    let own = isolate(spec.private_network);
    let private = own.contains(UnshareFlags::NEWNET);
    let listeners = if spec.private_network && !private {
        // Without a network of its own the app listens on the machine's ports itself.
        let elsewhere = spec.forwards.iter().find(|f| f.container != f.host);
        if let Some(Forward { host, container }) = elsewhere {
            return Err(format!(
                "the kernel allows no network namespaces here, so that container port {container} can't be mapped to host port {host}; use host networking, or let both be the same"
            ));
        }
        Vec::new()
    } else {
        listeners
    };
    if private {
        network::loopback_up()
            .map_err(|error| format!("can't switch the loop-back device on: {error}"))?;
    }
    let failed =
        |error: std::io::Error| format!("can't start the task: {}", pipe_oci::plain(&error));
    let init = again("init").spawn().map_err(failed)?;
    for (forward, listener) in listeners {
        again(&format!("forward:{}", forward.container))
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed)?;
    }
    Ok(init)
}

/// Moves into as many namespaces as the kernel allows, and says which.
fn isolate(private_network: bool) -> UnshareFlags {
    // The mounts are for init alone: this process goes on to start others by `/proc`.
    let base = UnshareFlags::NEWPID | UnshareFlags::NEWUTS | UnshareFlags::NEWIPC;
    let network = if private_network { UnshareFlags::NEWNET } else { UnshareFlags::empty() };
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    for wanted in [base | network, base] {
        if user.is_root() && unshare(wanted).is_ok() {
            return wanted;
        }
        let with_user = wanted | UnshareFlags::NEWUSER;
        if unshare(with_user).is_ok() {
            // In a new user namespace nobody is anybody until the maps are written.
            let written = fs::write("/proc/self/setgroups", "deny")
                .and_then(|()| fs::write("/proc/self/uid_map", format!("0 {} 1", user.as_raw())))
                .and_then(|()| fs::write("/proc/self/gid_map", format!("0 {} 1", group.as_raw())));
            if let Err(error) = written {
                note(&format!(
                    "the users of the task can't be mapped: {}",
                    pipe_oci::plain(&error)
                ));
            }
            return with_user;
        }
    }
    note("the kernel allows no namespaces here: the task is less apart from the machine");
    UnshareFlags::empty()
}
