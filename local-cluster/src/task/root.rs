//! The root of a task that runs in an image.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
};

use rustix::{
    mount::{
        MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive,
        mount_remount, unmount,
    },
    thread::UnshareFlags,
};

use super::{
    note,
    spec::{Image, Mount},
    unsafe_calls::unshare,
};

/// Gives this process mounts of its own, which nobody else sees; whether it has them.
pub(super) fn own_mounts() -> bool {
    let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    unshare(UnshareFlags::NEWNS).is_ok() && rustix::mount::mount_change("/", flags).is_ok()
}

/// Makes the root and enters it. Afterwards no path leads out of it.
pub(super) fn enter(image: &Image, mounts: bool, alone: bool) -> Result<(), String> {
    let failed =
        |error: &io::Error| format!("can't make the task's root: {}", pipe_oci::plain(error));
    let resolver = fs::read("/etc/resolv.conf").unwrap_or_default();
    let root = image.layer.join("root");
    fs::create_dir_all(&root).map_err(|error| failed(&error))?;
    if mounts {
        if let Err(error) = overlay(image, &root) {
            note(&format!("the image is copied: no overlay here ({})", pipe_oci::plain(&error)));
            copy(&image.root, &root).map_err(|error| failed(&error))?;
            mount_bind_recursive(&root, &root).map_err(|error| failed(&error.into()))?;
        }
        // A name that no image can know, so that none of its links leads there.
        let outside = format!(".outside-{}", crate::random::uuid());
        let put_old = root.join(&outside);
        fs::create_dir(&put_old).map_err(|error| failed(&error))?;
        rustix::process::pivot_root(&root, &put_old).map_err(|error| failed(&error.into()))?;
        std::env::set_current_dir("/").map_err(|error| failed(&error))?;
        let outside = Path::new("/").join(outside);
        let filled = fill(image, &outside, alone);
        unmount(&outside, UnmountFlags::DETACH).map_err(|error| failed(&error.into()))?;
        let _ = fs::remove_dir(&outside);
        filled?;
        let _ = rustix::system::sethostname(image.hostname.as_bytes());
    } else {
        copy(&image.root, &root).map_err(|error| failed(&error))?;
        if let Some(mount) = image.mounts.iter().find(|mount| mount.from != image.layer) {
            note(&format!("`{}` is missing: the kernel allows no mounts here", mount.to.display()));
        }
        rustix::process::chroot(&root).map_err(|error| {
            format!(
                "an image needs a root of its own, which the kernel does not allow here: {error}"
            )
        })?;
        std::env::set_current_dir("/").map_err(|error| failed(&error))?;
        make_devices();
    }
    name_hosts(&image.hostname, &resolver);
    Ok(())
}

/// Shows a task without an image its own processes only.
pub(super) fn own_processes() {
    if let Err(error) = mount_proc(Path::new("/proc")) {
        note(&format!("`/proc` shows the machine's processes: {error}"));
    }
}

/// The image below, what the task changes above.
fn overlay(image: &Image, root: &Path) -> io::Result<()> {
    let [upper, work] = ["upper", "work"].map(|name| image.layer.join(name));
    for folder in [&upper, &work] {
        fs::create_dir_all(folder)?;
    }
    let option = |name: &str, path: &Path| -> io::Result<String> {
        let path = path.to_str().filter(|path| !path.contains([',', ':', '\\']));
        let unfit = || io::Error::new(io::ErrorKind::InvalidInput, "the path holds `,` or `:`");
        Ok(format!("{name}={}", path.ok_or_else(unfit)?))
    };
    let options =
        [option("lowerdir", &image.root)?, option("upperdir", &upper)?, option("workdir", &work)?]
            .join(",");
    let attempt = |options: &str| -> io::Result<()> {
        let options = std::ffi::CString::new(options)?;
        Ok(mount("overlay", root, "overlay", MountFlags::empty(), options.as_c_str())?)
    };
    // Without root overlays keep their marks in attributes of the user.
    attempt(&options).or_else(|_| attempt(&format!("{options},userxattr")))
}

/// What every task finds in its root.
fn fill(image: &Image, outside: &Path, alone: bool) -> Result<(), String> {
    make_folder(Path::new("/proc"));
    let proc = if alone { mount_proc(Path::new("/proc")) } else { Err(rustix::io::Errno::PERM) };
    if proc.is_err() {
        // Where the kernel hides parts of /proc it allows no new one: then that of the machine.
        let _ = mount_bind_recursive(outside.join("proc"), Path::new("/proc"));
    }
    make_folder(Path::new("/sys"));
    let safe = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let _ = mount("sysfs", "/sys", "sysfs", safe | MountFlags::RDONLY, None);
    devices(outside);
    for wanted in &image.mounts {
        bind(wanted, outside).map_err(|error| {
            format!(
                "can't mount `{}` at `{}`: {}",
                wanted.from.display(),
                wanted.to.display(),
                pipe_oci::plain(&error)
            )
        })?;
    }
    Ok(())
}

fn mount_proc(place: &Path) -> rustix::io::Result<()> {
    let safe = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", place, "proc", safe, None)
}

fn make_folder(path: &Path) {
    if let Err(error) = fs::create_dir_all(path) {
        note(&format!("can't make `{}`: {}", path.display(), pipe_oci::plain(&error)));
    }
}

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// A small `/dev`.
fn devices(outside: &Path) {
    make_folder(Path::new("/dev"));
    let _ = mount("tmpfs", "/dev", "tmpfs", MountFlags::NOSUID, c"mode=755,size=65536k");
    for name in DEVICES {
        let place = Path::new("/dev").join(name);
        if fs::write(&place, "").is_ok() {
            let _ = mount_bind_recursive(outside.join("dev").join(name), &place);
        }
    }
    for folder in ["/dev/pts", "/dev/shm"] {
        make_folder(Path::new(folder));
    }
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    let _ = mount("devpts", "/dev/pts", "devpts", flags, c"newinstance,ptmxmode=0666,mode=0620");
    let _ = mount("shm", "/dev/shm", "tmpfs", flags | MountFlags::NODEV, c"mode=1777,size=65536k");
    link_devices();
    let _ = symlink("pts/ptmx", "/dev/ptmx");
}

fn link_devices() {
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        let _ = symlink(target, Path::new("/dev").join(name));
    }
}

/// The same without mounts, where root may at least make devices.
fn make_devices() {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    make_folder(Path::new("/dev"));
    for (name, major, minor) in
        [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9)]
    {
        let place = Path::new("/dev").join(name);
        let mode = Mode::from_raw_mode(0o666);
        let _ = mknodat(CWD, &place, FileType::CharacterDevice, mode, makedev(major, minor));
    }
    link_devices();
}

/// Mounts a folder or file of the machine.
fn bind(wanted: &Mount, outside: &Path) -> io::Result<()> {
    let from: PathBuf = outside.join(wanted.from.strip_prefix("/").unwrap_or(&wanted.from));
    let to = Path::new("/").join(&wanted.to);
    if fs::metadata(&from)?.is_dir() {
        fs::create_dir_all(&to)?;
    } else {
        fs::create_dir_all(to.parent().unwrap_or(&to))?;
        fs::OpenOptions::new().append(true).create(true).open(&to)?;
    }
    mount_bind_recursive(&from, &to)?;
    if wanted.read_only {
        // Flags that the machine's mount has may not be taken away in a user namespace.
        let flags = MountFlags::BIND | MountFlags::RDONLY;
        let kept = MountFlags::NOSUID | MountFlags::NODEV;
        mount_remount(&to, flags, c"").or_else(|_| mount_remount(&to, flags | kept, c""))?;
    }
    Ok(())
}

/// Names that images leave to who runs them.
fn name_hosts(hostname: &str, resolver: &[u8]) {
    let hosts = format!("127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\t{hostname}\n");
    for (file, text) in [("/etc/hosts", hosts.as_bytes()), ("/etc/resolv.conf", resolver)] {
        if !Path::new(file).exists() {
            let _ = fs::create_dir_all("/etc").and_then(|()| fs::write(file, text));
        }
    }
}

/// Copies a tree: files, folders and links, with modes and, as root, owners.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let is_root = rustix::process::geteuid().is_root();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let found = fs::symlink_metadata(&source)?;
        if found.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if found.is_dir() {
            fs::create_dir(&target)?;
            copy(&source, &target)?;
        } else if found.is_file() {
            fs::copy(&source, &target)?;
        } else {
            continue;
        }
        if is_root {
            let _ = std::os::unix::fs::lchown(&target, Some(found.uid()), Some(found.gid()));
        }
        if !found.is_symlink() {
            fs::set_permissions(&target, found.permissions())?;
        }
    }
    Ok(())
}
