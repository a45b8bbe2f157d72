//! How many bytes are read, and from when on is it too many?
//!
//! Authority: ourselves. The largest builds that the program is made for have some 200 MB.
//! Departs from nothing.
//! Knows: files and stdin by their bytes. Does not know: what is in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::at_once;
use super::ending::Failure;

/// How many bytes the inputs may have together, and so many each the configuration and the files of the context.
///
/// Five times what the program is made for. More is a mistake, as a device or a dump in the place of a manifest, or
/// wants the memory of the build machine, and has to end in a message before that is gone.
pub(super) const LIMIT: u64 = 1 << 30;

/// What may still be read.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { left: LIMIT }
    }
}

impl Allowance {
    /// The bytes of a file. One that is too long by its length is not opened for long; a device has no length.
    pub(super) fn file(&mut self, file: &Path) -> Result<Vec<u8>, Failure> {
        let opened = File::open(file).and_then(|opened| {
            let length = opened.metadata()?.len();
            Ok((opened, length))
        });
        let (opened, length) = opened.map_err(|error| failed(file, error))?;
        if length > self.left {
            return Err(too_long(file));
        }
        let room = || Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        let begun = at_once::read(&opened, self.left).unwrap_or_else(room);
        self.all(file, opened, begun)
    }

    /// The bytes of stdin, which may be a file that somebody has read a part of.
    pub(super) fn stdin(&mut self) -> Result<Vec<u8>, Failure> {
        let begun = at_once::stdin().and_then(|file| at_once::read(&file, self.left));
        self.all(
            Path::new("-"),
            io::stdin().lock(),
            begun.unwrap_or_default(),
        )
    }

    /// What was read already, and all that follows.
    fn all(&mut self, name: &Path, bytes: impl Read, begun: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let mut read = begun;
        // One more than may be read tells that there is more.
        let known = u64::try_from(read.len()).unwrap_or(u64::MAX);
        let mut bytes = bytes.take((self.left + 1).saturating_sub(known));
        bytes
            .read_to_end(&mut read)
            .map_err(|error| failed(name, error))?;
        self.left = u64::try_from(read.len())
            .ok()
            .and_then(|length| self.left.checked_sub(length))
            .ok_or_else(|| too_long(name))?;
        Ok(read)
    }
}

fn failed(file: &Path, error: io::Error) -> Failure {
    Failure::Read {
        file: file.to_owned(),
        error,
    }
}

fn too_long(file: &Path) -> Failure {
    Failure::TooLong {
        file: file.to_owned(),
        limit: LIMIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(left: u64) -> Allowance {
        Allowance { left }
    }

    #[test]
    fn what_is_read_is_taken_from_what_may_be() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "12345").expect("the folder is ours");
        let mut allowance = of(12);
        assert_eq!(allowance.file(&file).expect("5 of 12"), b"12345");
        assert_eq!(allowance.file(&file).expect("5 of 7"), b"12345");
        let refused = allowance.file(&file).expect_err("5 of 2");
        assert!(matches!(refused, Failure::TooLong { .. }), "{refused}");
        assert_eq!(of(5).file(&file).expect("all of it"), b"12345");
    }

    /// Of a stream nobody knows the length before its end, which may not come.
    #[test]
    fn what_does_not_end_is_not_read_to_the_end() {
        let mut allowance = of(1000);
        let refused = allowance.all(Path::new("-"), io::repeat(b'a'), Vec::new());
        let refused = refused.expect_err("it has no end");
        insta::assert_snapshot!(refused, @"stdin: more than 1 GiB is not read; check where it comes from, or leave out what holds neither scrape objects nor what they select");
        let exact = of(3).all(Path::new("-"), &b"abc"[..], Vec::new());
        assert_eq!(exact.expect("three of three"), b"abc");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_read_to_the_bound() {
        let refused = of(1000).file(Path::new("/dev/zero")).expect_err("endless");
        assert!(matches!(refused, Failure::TooLong { .. }), "{refused}");
    }
}
