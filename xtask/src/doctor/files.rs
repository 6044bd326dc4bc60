//! Whether the system tells `cargo xtask watch` when a file of the course is saved. On a drive that
//! others share it tells at most what this machine itself has done.

use std::env::consts::OS;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Instant;

use course::Text;
use notify::{RecursiveMode, Watcher};

use super::finding::{Finding, command, text};
use super::{PATIENCE, output_of, reason};

/// On what the folder lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drive {
    Local,
    /// Another machine's: NFS, SMB, …
    Network,
    /// A host's, seen from a virtual machine or a container.
    Shared,
    /// A folder of Windows, seen from the Linux inside it.
    WindowsInLinux,
}

/// A file system and where it stands.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    place: PathBuf,
    kind: String,
    /// What is mounted, and with which options.
    about: String,
}

pub fn look(root: &Path) -> Vec<Finding> {
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let (drive, kind) = match OS {
        "linux" => {
            let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
            drive_of(&root, mounts.lines().filter_map(proc_mount))
        }
        "windows" => drive_on_windows(&root.to_string_lossy()),
        _ => {
            let mounts = output_of(&mut Command::new("mount")).unwrap_or_default();
            drive_of(&root, mounts.lines().filter_map(mount_line))
        }
    };
    vec![judge(drive, &kind, watch_a_file(&root))]
}

/// The innermost file system that the folder is in.
fn drive_of(folder: &Path, mounts: impl Iterator<Item = Mount>) -> (Drive, String) {
    let holds = mounts.filter(|mount| folder.starts_with(&mount.place));
    // Of several at one place, the last one covers the others.
    let innermost = holds.max_by_key(|mount| mount.place.components().count());
    innermost.map_or((Drive::Local, String::new()), |mount| (drive(&mount), mount.kind))
}

fn drive(mount: &Mount) -> Drive {
    let is_windows = mount.about.contains("aname=drvfs") || mount.about.contains(":\\");
    match mount.kind.as_str() {
        "drvfs" | "wslfs" => Drive::WindowsInLinux,
        "9p" | "virtiofs" if is_windows => Drive::WindowsInLinux,
        "9p" | "virtiofs" | "vboxsf" | "vmhgfs" | "fuse.vmhgfs-fuse" | "prl_fs"
        | "fuse.prl_fsd" | "fakeowner" | "fuse.grpcfuse" | "fuse.osxfs" => Drive::Shared,
        "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "afs" | "afpfs" | "ceph" | "davfs"
        | "webdav" | "fuse.sshfs" | "fuse.davfs2" | "fuse.glusterfs" | "fuse.ceph"
        | "fuse.rclone" | "lustre" | "beegfs" | "gpfs" => Drive::Network,
        _ => Drive::Local,
    }
}

/// A line of proc(5)'s `mounts`: `C:\134 /mnt/c 9p rw,aname=drvfs;path=C:\;… 0 0`.
fn proc_mount(line: &str) -> Option<Mount> {
    let words: Vec<&str> = line.split(' ').collect();
    let [what, place, kind, options, ..] = words[..] else { return None };
    let about = format!("{} {options}", unescaped(what));
    Some(Mount { place: unescaped(place).into(), kind: kind.to_owned(), about })
}

/// Blanks and backslashes are in octal there.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (octal, character)| text.replace(octal, character))
}

/// A line of macOS' mount(8): `//ann@server/work on /Volumes/work (smbfs, nodev, nosuid)`.
fn mount_line(line: &str) -> Option<Mount> {
    let (what, rest) = line.split_once(" on ")?;
    let (place, options) = rest.rsplit_once(" (")?;
    let kind = options.split([',', ')']).next()?;
    Some(Mount { place: place.into(), kind: kind.to_owned(), about: what.to_owned() })
}

/// The full path of a folder on a network drive names its server, whatever the drive's letter.
fn drive_on_windows(full_path: &str) -> (Drive, String) {
    let is_unc = full_path.starts_with(r"\\?\UNC\")
        || (full_path.starts_with(r"\\") && !full_path.starts_with(r"\\?\"));
    if is_unc { (Drive::Network, "SMB".to_owned()) } else { (Drive::Local, String::new()) }
}

/// Saves a file in the course and waits until the system tells of it.
fn watch_a_file(root: &Path) -> io::Result<bool> {
    let folder = tempfile::Builder::new().prefix(".doctor-").suffix(".local").tempdir_in(root)?;
    let (sender, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(sender).map_err(io::Error::other)?;
    watcher.watch(folder.path(), RecursiveMode::Recursive).map_err(io::Error::other)?;
    fs::write(folder.path().join("saved"), "saved")?;
    let until = Instant::now() + PATIENCE;
    while let Ok(event) = events.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if event.is_ok_and(|event| event.paths.iter().any(|path| path.ends_with("saved"))) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn judge(drive: Drive, kind: &str, told: io::Result<bool>) -> Finding {
    let watch = || command("cargo xtask watch --poll");
    let told = match told {
        Ok(told) => told,
        Err(error) => {
            return Finding::note(text(
                format!("a file of the course cannot be saved or watched ({})", reason(&error)),
                format!("无法在课程的文件夹里保存或监视文件（{}）", reason(&error)),
            ))
            .or_try(watch());
        }
    };
    if let Some((said, advice)) = elsewhere(drive, kind) {
        return Finding::note(said).or_try(watch()).or_try(advice);
    }
    if !told {
        return Finding::note(text(
            "the system does not tell when a file of the course is saved",
            "课程的文件保存后，系统没有发出通知",
        ))
        .or_try(watch());
    }
    Finding::ok(text(
        "the system tells when a file of the course is saved",
        "课程的文件一保存，系统就会通知",
    ))
}

/// What it means that the course is not on a drive of this machine.
fn elsewhere(drive: Drive, kind: &str) -> Option<(Text, Text)> {
    let (said, advice) = match drive {
        Drive::Local => return None,
        Drive::Network => (
            text(
                format!(
                    "the course is on a network drive ({kind}): builds are slow, and what is saved on another machine is not told"
                ),
                format!("课程在网络驱动器上（{kind}）：构建很慢，在别的机器上保存文件时也没有通知"),
            ),
            text(
                "a copy on a drive of this machine, or CARGO_TARGET_DIR there",
                "把课程复制到本机的磁盘上，或者把 CARGO_TARGET_DIR 设到那里",
            ),
        ),
        Drive::Shared => (
            text(
                format!(
                    "the course is in a folder of the host ({kind}): what is saved on the host may not be told here"
                ),
                format!(
                    "课程在宿主机的共享文件夹里（{kind}）：在宿主机上保存文件时，这里可能收不到通知"
                ),
            ),
            text("a copy inside of this machine", "把课程复制到这台虚拟机或容器里面"),
        ),
        Drive::WindowsInLinux => (
            text(
                format!(
                    "the course is in a folder of Windows ({kind}): builds are slow, and what Windows' programs save is not told"
                ),
                format!(
                    "课程在 Windows 的文件夹里（{kind}）：构建很慢，用 Windows 程序保存文件时也没有通知"
                ),
            ),
            text(
                "a copy in a folder of Linux, such as ~/course (Windows sees it below \\\\wsl$)",
                "把课程复制到 Linux 自己的文件夹，比如 ~/course（在 Windows 里位于 \\\\wsl$ 之下）",
            ),
        ),
    };
    Some((said, advice))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use rstest::rstest;

    const MOUNTS: &str = "\
/dev/sda1 / ext4 rw,relatime 0 0
C:\\134 /mnt/c 9p rw,noatime,aname=drvfs;path=C:\\134;uid=1000,trans=fd 0 0
D: /mnt/d drvfs rw,noatime 0 0
hostshare /mnt/host\\040share 9p rw,trans=virtio 0 0
server:/net /net nfs4 rw,vers=4.2 0 0
/dev/sdb1 /net/ann/local ext4 rw 0 0
vbox /media/sf_course vboxsf rw 0 0
//server/work /srv/work cifs rw,vers=3.1.1 0 0
broken
";

    #[rstest]
    #[case("/opt/course", Drive::Local, "ext4")]
    #[case("/mnt/c/work/course", Drive::WindowsInLinux, "9p")]
    #[case("/mnt/d/course", Drive::WindowsInLinux, "drvfs")]
    #[case("/mnt/cd/course", Drive::Local, "ext4")]
    #[case("/mnt/host share/course", Drive::Shared, "9p")]
    #[case("/net/ann/course", Drive::Network, "nfs4")]
    #[case("/net/ann/local/course", Drive::Local, "ext4")]
    #[case("/media/sf_course", Drive::Shared, "vboxsf")]
    #[case("/srv/work/course", Drive::Network, "cifs")]
    fn on_linux_the_innermost_mount_decides(
        #[case] folder: &str,
        #[case] drive: Drive,
        #[case] kind: &str,
    ) {
        let found = drive_of(Path::new(folder), MOUNTS.lines().filter_map(proc_mount));
        assert_eq!(found, (drive, kind.to_owned()));
    }

    #[rstest]
    #[case("/opt/course", Drive::Local)]
    #[case("/Volumes/my work/course", Drive::Network)]
    fn macos_lists_its_mounts_in_another_way(#[case] folder: &str, #[case] drive: Drive) {
        let mounts = "/dev/disk3s1s1 on / (apfs, sealed, local, read-only)\n\
                      //ann@server/work on /Volumes/my work (smbfs, nodev, nosuid)\n";
        let found = drive_of(Path::new(folder), mounts.lines().filter_map(mount_line));
        assert_eq!(found.0, drive);
    }

    #[rstest]
    #[case(r"\\?\C:\work\course", Drive::Local)]
    #[case(r"\\?\UNC\server\work\course", Drive::Network)]
    #[case(r"\\server\work\course", Drive::Network)]
    fn on_windows_the_full_path_names_a_server(#[case] path: &str, #[case] drive: Drive) {
        assert_eq!(drive_on_windows(path).0, drive);
    }

    #[rstest]
    #[case(Drive::Local, Ok(true), Level::Ok)]
    #[case(Drive::Local, Ok(false), Level::Note)]
    #[case(Drive::Local, Err(io::ErrorKind::PermissionDenied.into()), Level::Note)]
    #[case(Drive::Network, Ok(true), Level::Note)]
    #[case(Drive::Shared, Ok(true), Level::Note)]
    #[case(Drive::WindowsInLinux, Ok(false), Level::Note)]
    fn where_changes_are_not_told_files_can_be_looked_at(
        #[case] drive: Drive,
        #[case] told: io::Result<bool>,
        #[case] level: Level,
    ) {
        let finding = judge(drive, "kind", told);
        assert_eq!(finding.level, level);
        let polls = finding.tries.iter().any(|advice| advice.en == "cargo xtask watch --poll");
        assert_eq!(polls, level == Level::Note);
    }
}
