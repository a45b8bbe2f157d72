//! How is a long list worked off by all of the machine?
//!
//! Authority: none; the answer is the same as one thread's, only sooner.
//! Departs from nothing.
//! Knows: lists, threads. Does not know: what is done.

use std::thread;

/// As many as the machines have on which manifests are built; where there are fewer, the threads take turns.
const THREADS: usize = 4;

/// What is less than this is done before a thread has begun.
const FEW: usize = 256;

/// The answers to the parts of a list, in the order of the list.
pub(super) fn in_order<T: Sync, A: Send>(list: &[T], answer: impl Fn(&[T]) -> A + Sync) -> Vec<A> {
    if list.len() < FEW {
        return vec![answer(list)];
    }
    let parts = list.chunks(list.len().div_ceil(THREADS));
    thread::scope(|scope| {
        let threads: Vec<_> = parts.map(|part| scope.spawn(|| answer(part))).collect();
        threads
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(answer) => answer,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_list() {
        for length in [0, 1, FEW - 1, FEW, FEW + 1, 1003] {
            let list: Vec<usize> = (0..length).collect();
            let parts = in_order(&list, <[usize]>::to_vec);
            assert_eq!(parts.concat(), list, "{length}");
        }
    }

    #[test]
    #[should_panic(expected = "in the middle")]
    fn a_panic_is_no_answer() {
        let list: Vec<usize> = (0..1000).collect();
        in_order(&list, |part| assert!(!part.contains(&500), "in the middle"));
    }
}
