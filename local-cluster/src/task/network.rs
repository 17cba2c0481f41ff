//! The network of a task: a loop-back device and nothing else.

use rustix::net::{
    AddressFamily, SendFlags, SocketType, netlink::SocketAddrNetlink, sendto, socket,
};

/// Switches the loop-back device of this process's network on, by rtnetlink(7).
pub(super) fn loopback_up() -> rustix::io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST_ACK: u16 = 5;
    const LOOPBACK: i32 = 1;
    const IFF_UP: u32 = 1;
    // NETLINK_ROUTE is protocol 0, the one that a socket has without.
    let netlink = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    let mut message = Vec::with_capacity(32);
    // struct nlmsghdr: length, type, flags, sequence number, port.
    message.extend(32u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    message.extend(1u32.to_ne_bytes());
    message.extend(0u32.to_ne_bytes());
    // struct ifinfomsg: family, padding, device type, index, flags, which of them change.
    message.extend([0, 0, 0, 0]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    sendto(&netlink, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 256];
    let (_, received) =
        rustix::net::recv(&netlink, &mut answer[..], rustix::net::RecvFlags::empty())?;
    // struct nlmsgerr follows the header: the error's number, negative.
    let code = answer.get(16..20).filter(|_| received >= 20);
    match code.map(|bytes| i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) {
        Some(0) => Ok(()),
        Some(code) => Err(rustix::io::Errno::from_raw_os_error(-code)),
        None => Err(rustix::io::Errno::PROTO),
    }
}
