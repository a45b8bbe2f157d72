//! How is a long list worked off by all of the machine?
//!
//! Authority: none; the answer is the same as one thread's, only sooner.
//! Departs from nothing.
//! Knows: lists, threads. Does not know: what is done.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

/// As many as the machines have on which manifests are built; where there are fewer, the threads take turns.
const THREADS: usize = 4;

/// What is less than this is done before a thread has begun.
const FEW: usize = 256;

/// Into so many parts a long list goes: enough for a thread with easy ones to take over from another.
pub(crate) const PARTS: usize = 32;

/// The answers to the parts of a list, in the order of the list.
pub(crate) fn in_order<'l, T: Sync, A: Send>(
    list: &'l [T],
    answer: impl Fn(&'l [T]) -> A + Sync,
) -> Vec<A> {
    if list.len() < FEW {
        return vec![answer(list)];
    }
    let parts: Vec<&'l [T]> = list.chunks(list.len().div_ceil(PARTS)).collect();
    each(&parts, |part| answer(part))
}

/// The answers of which each part of a list has several, in the order of the list and in one piece.
pub(crate) fn listed<'l, T: Sync, A: Send>(
    list: &'l [T],
    answers: impl Fn(&'l [T]) -> Vec<A> + Sync,
) -> Vec<A> {
    let parts = in_order(list, answers);
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    parts.into_iter().for_each(|part| all.extend(part));
    all
}

/// The answers to what is much work each, in order.
pub(crate) fn each<T: Sync, A: Send>(list: &[T], answer: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut answers = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            match list.get(position) {
                Some(one) => answers.push((position, answer(one))),
                None => return answers,
            }
        }
    };
    let mut answers = thread::scope(|scope| {
        // A machine that gives no thread leaves the work to those that there are.
        let threads: Vec<_> = (1..THREADS.min(list.len()))
            .filter_map(|_| Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut answers = work();
        for thread in threads {
            answers.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        answers
    });
    answers.sort_unstable_by_key(|(position, _)| *position);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// The answers to a few questions about a list of this length, in order.
pub(crate) fn about<Q: Sync, A: Send>(
    length: usize,
    questions: &[Q],
    answer: impl Fn(&Q) -> A + Sync,
) -> Vec<A> {
    match length < FEW {
        true => questions.iter().map(answer).collect(),
        false => each(questions, answer),
    }
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
            assert_eq!(listed(&list, <[usize]>::to_vec), list, "{length}");
            assert_eq!(each(&list, |one| *one), list, "{length}");
            assert_eq!(about(length, &list, |one| *one), list, "{length}");
        }
    }

    #[test]
    #[should_panic(expected = "in the middle")]
    fn a_panic_is_no_answer() {
        let list: Vec<usize> = (0..1000).collect();
        in_order(&list, |part| assert!(!part.contains(&500), "in the middle"));
    }
}
