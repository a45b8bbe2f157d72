//! How is a long file read in less time than its bytes take one after the other?
//!
//! Authority: none; the bytes are the same.
//! Departs from nothing: what is no long file is left to whoever reads streams.
//! Knows: files, threads. Does not know: what is in them, how much may be read.

#[cfg(unix)]
pub(super) use unix::{read, stdin};

#[cfg(not(unix))]
pub(super) use elsewhere::{read, stdin};

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, Seek, SeekFrom};
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileExt;
    use std::panic::resume_unwind;
    use std::thread::{self, Builder};

    /// Bytes that take longer to read than a thread to begin.
    const MUCH: u64 = 4 << 20;

    const THREADS: usize = 4;

    /// Stdin, if that is a file.
    pub(in crate::cli) fn stdin() -> Option<File> {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
        file.metadata().ok()?.is_file().then_some(file)
    }

    /// What a long file holds from where it stands, behind which it stands then. `None` for any other, for one that holds
    /// more than `most` bytes there, and where they cannot be had: whoever reads on will be told why.
    pub(in crate::cli) fn read(mut file: &File, most: u64) -> Option<Vec<u8>> {
        let metadata = file.metadata().ok()?;
        let begin = file.stream_position().ok()?;
        let length = metadata.len().checked_sub(begin)?;
        if !metadata.is_file() || !(MUCH..=most).contains(&length) {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        read_at(file, begin, &mut bytes).ok()?;
        file.seek(SeekFrom::Start(begin + length)).ok()?;
        Some(bytes)
    }

    fn read_at(file: &File, begin: u64, bytes: &mut [u8]) -> io::Result<()> {
        let length = bytes.len().div_ceil(THREADS).max(1);
        thread::scope(|scope| {
            let mut from = begin;
            let mut threads = Vec::new();
            for part in bytes.chunks_mut(length) {
                let behind = from + part.len() as u64;
                let read = move || file.read_exact_at(part, from);
                threads.push(Builder::new().spawn_scoped(scope, read)?);
                from = behind;
            }
            threads.into_iter().try_for_each(|thread| {
                let read = thread.join();
                read.unwrap_or_else(|panic| resume_unwind(panic))
            })
        })
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::fs::File;

    pub(in crate::cli) fn stdin() -> Option<File> {
        None
    }

    pub(in crate::cli) fn read(_: &File, _: u64) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read, Seek, SeekFrom, Write};

    #[test]
    fn a_long_file_is_read_from_where_it_stands_and_stands_at_its_end_then() {
        let mut file = tempfile::tempfile().expect("a temporary file can be made");
        let bytes: Vec<u8> = (0..5_000_001_u32).map(|at| (at % 251) as u8).collect();
        file.write_all(&bytes).expect("the file is ours");
        for begin in [0, 1, 500_000] {
            let length = 5_000_001 - begin;
            file.seek(SeekFrom::Start(begin)).expect("a file");
            assert!(super::read(&file, length - 1).is_none(), "more than it may");
            let read = super::read(&file, length).expect("a long file");
            assert!(read == bytes[begin as usize..], "from {begin}");
            let mut rest = Vec::new();
            file.read_to_end(&mut rest).expect("a file");
            assert!(rest.is_empty(), "from {begin}");
        }
    }

    #[test]
    fn a_short_file_is_left_as_it_is() {
        let mut file = tempfile::tempfile().expect("a temporary file can be made");
        file.write_all(b"12345").expect("the file is ours");
        file.rewind().expect("a file");
        assert!(super::read(&file, 5).is_none());
        let mut all = Vec::new();
        file.read_to_end(&mut all).expect("a file");
        assert_eq!(all, b"12345");
    }
}
