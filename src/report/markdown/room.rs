//! How much of each table has room in a comment?
//!
//! Authority: ourselves: changes before findings, findings before what stays.
//! Departs from nothing: rows are whole, and what is left out is counted.
//! Knows: rows and their lengths. Does not know: what they say.

use super::Row;

/// Room for the sentence on what was left out, and the lines around a table.
const MARGIN: usize = 400;

const EXPLAIN: &str = "There is no more room here: `istio-scrape explain`";

/// A table with a heading.
pub(super) struct Table {
    lead: String,
    end: &'static str,
    rows: Vec<Row>,
    left_out: usize,
}

impl Table {
    /// A table that is seen at once.
    pub(super) fn open<const N: usize>(name: &str, columns: [&str; N], rows: Vec<Row>) -> Self {
        Self {
            lead: format!("**{name}**\n\n{}", header(columns)),
            end: "",
            rows,
            left_out: 0,
        }
    }

    /// A table that opens on a click.
    pub(super) fn folded<const N: usize>(name: &str, columns: [&str; N], rows: Vec<Row>) -> Self {
        Self {
            lead: format!(
                "<details>\n<summary>{name}</summary>\n\n{}",
                header(columns)
            ),
            end: "\n</details>\n",
            rows,
            left_out: 0,
        }
    }

    /// The rules that its rows name.
    pub(super) fn rules(&self) -> impl Iterator<Item = &'static str> {
        self.rows.iter().map(|row| row.rule)
    }

    fn length(&self) -> usize {
        let rows: usize = self.rows.iter().map(|row| row.text.len()).sum();
        match rows {
            0 => 0,
            rows => rows + self.lead.len() + MARGIN,
        }
    }

    fn cut(&mut self, room: usize) {
        let mut length = self.lead.len() + MARGIN;
        let kept = self.rows.iter().take_while(|row| {
            length += row.text.len();
            length <= room
        });
        let kept = kept.count();
        let cut = self.rows.split_off(kept);
        self.left_out = cut.iter().map(|row| row.decisions).sum();
    }

    /// Its text; nothing where it has, and had, no rows.
    pub(super) fn written(&self) -> String {
        if self.rows.is_empty() && self.left_out == 0 {
            return String::new();
        }
        let rows: String = self.rows.iter().map(|row| row.text.as_str()).collect();
        let unnamed: usize = self.rows.iter().map(|row| row.unnamed).sum();
        let left_out = match (self.left_out, unnamed) {
            (0, 0) => String::new(),
            (0, _) => format!("\n{EXPLAIN} names them all.\n"),
            (more, _) => format!("\n…and {more} more. {EXPLAIN} names them all.\n"),
        };
        format!("{}{rows}{left_out}{}", self.lead, self.end)
    }
}

fn header<const N: usize>(columns: [&str; N]) -> String {
    format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(N))
}

/// Leaves out rows until all tables have room together. Half of it is for the first as long as others need it.
pub(super) fn cut(tables: &mut [Table], room: usize) {
    let mut room = room;
    for position in 0..tables.len() {
        let others: usize = tables[position + 1..].iter().map(Table::length).sum();
        let table = &mut tables[position];
        let own = table.length();
        let share = own.min((room / 2).max(room.saturating_sub(others)));
        if share < own {
            table.cut(share);
        }
        room -= share;
    }
}
