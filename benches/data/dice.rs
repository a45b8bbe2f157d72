//! Which of several things is it this time? The same seed gives the same answers, on every machine.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to the one before `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % end).unwrap_or_default()
    }

    pub(crate) fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last + 1 - first)
    }

    pub(crate) fn one_of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.below(these.len())]
    }

    /// Several words, with spaces between them.
    pub(crate) fn words(&mut self, count: usize) -> String {
        let words: Vec<&str> = (0..count).map(|_| self.one_of(&WORDS)).collect();
        words.join(" ")
    }

    /// Letters, numbers and nothing that YAML could take for something else than text.
    pub(crate) fn base64(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let inner = (1..length).map(|_| char::from(self.one_of(LETTERS)));
        std::iter::once('Q').chain(inner).collect()
    }
}

const WORDS: [&str; 48] = [
    "account", "billing", "cache", "cart", "catalog", "checkout", "cluster", "config", "customer",
    "daily", "delivery", "edge", "event", "export", "feature", "gateway", "history", "index",
    "invoice", "ledger", "limit", "mailer", "metric", "notify", "offer", "order", "partner",
    "payment", "price", "profile", "public", "queue", "quota", "region", "report", "retry",
    "return", "review", "route", "search", "session", "shipping", "stock", "tenant", "tracking",
    "upload", "user", "wallet",
];
