//! Rust sources as tokens: which paths does a file name, and which of its lines are tests?
//!
//! Not a parser: comments, strings and character literals are left out, paths are followed through `use` trees,
//! `super` and inline modules. That is all that the checks need.

use std::fs;
use std::path::Path;

/// A file below `src/`.
#[derive(Debug)]
pub(crate) struct File {
    /// Path from the repository, with slashes.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
    /// Compiled only for tests.
    pub(crate) test: bool,
}

/// Every Rust file below `src/`, by name.
pub(crate) fn files() -> Vec<File> {
    let mut found = Vec::new();
    collect(&super::in_repository("src"), "src", &mut found);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    mark_tests(&mut found);
    found
}

/// Marks what only `#[cfg(test)] mod name;` brings in, with everything below it.
fn mark_tests(files: &mut [File]) {
    let modules: Vec<Vec<String>> = files
        .iter()
        .flat_map(|file| file.walk().test_modules)
        .collect();
    for file in files {
        let module = file.module();
        file.test = modules.iter().any(|m| module.starts_with(m));
    }
}

fn collect(directory: &Path, name: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(directory).expect("src can be listed") {
        let entry = entry.expect("src can be listed");
        let name = format!(
            "{name}/{}",
            entry.file_name().to_str().expect("names are UTF-8")
        );
        if entry.path().is_dir() {
            collect(&entry.path(), &name, found);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("sources are UTF-8");
            found.push(File {
                name,
                text,
                test: false,
            });
        }
    }
}

/// A path that a file names, from the root of its crate (`crate`) or of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The segments; the first is `crate` or the name of another crate.
    pub(crate) path: Vec<String>,
    /// Line, from 1.
    pub(crate) line: usize,
    /// Below `#[cfg(test)]`.
    pub(crate) test: bool,
}

impl File {
    /// The module that the file holds, as segments below the crate root.
    pub(crate) fn module(&self) -> Vec<String> {
        let path = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        let path = path.trim_end_matches("/mod");
        if path == "lib" || path == "main" || path == "mod" {
            return Vec::new();
        }
        path.split('/').map(str::to_owned).collect()
    }

    /// The part of the program that the file belongs to: `main`, `lib`, or a module of the first level.
    pub(crate) fn part(&self) -> String {
        match self.module().first() {
            Some(first) => first.clone(),
            None => self
                .name
                .trim_start_matches("src/")
                .trim_end_matches(".rs")
                .to_owned(),
        }
    }

    /// The paths that the file names.
    pub(crate) fn named(&self) -> Vec<Named> {
        let mut named = self.walk().named;
        named.iter_mut().for_each(|n| n.test |= self.test);
        named
    }

    /// How many lines the file has without its tests.
    pub(crate) fn lines_without_tests(&self) -> usize {
        let tests: usize = self
            .walk()
            .tests
            .iter()
            .map(|(from, to)| to + 1 - from)
            .sum();
        if self.test {
            0
        } else {
            self.text.lines().count() - tests
        }
    }

    /// Its lines, with their numbers, that are no tests.
    pub(crate) fn code(&self) -> Vec<(usize, &str)> {
        let tests = match self.test {
            true => vec![(1, usize::MAX)],
            false => self.walk().tests,
        };
        let lines = (1..).zip(self.text.lines());
        lines
            .filter(|(line, _)| !tests.iter().any(|(from, to)| (from..=to).contains(&line)))
            .collect()
    }

    fn walk(&self) -> Walk {
        let mut walk = Walk {
            tokens: tokens(&self.text),
            module: self.module(),
            ..Walk::default()
        };
        walk.run();
        walk
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Then,
    Sign(char),
    Literal,
}

#[derive(Default)]
struct Walk {
    tokens: Vec<(Token, usize)>,
    at: usize,
    module: Vec<String>,
    named: Vec<Named>,
    /// First and last line of each test module.
    tests: Vec<(usize, usize)>,
    /// Modules in files of their own that only tests have.
    test_modules: Vec<Vec<String>>,
}

/// An open brace.
struct Block {
    /// It opens an inline module.
    is_module: bool,
    /// The line of its `#[cfg(test)]`.
    test_since: Option<usize>,
}

impl Walk {
    fn run(&mut self) {
        let mut blocks: Vec<Block> = Vec::new();
        let mut test_since = None;
        let mut module_name: Option<String> = None;
        while self.at < self.tokens.len() {
            let (token, line) = self.tokens[self.at].clone();
            let test = test_since.is_some() || blocks.iter().any(|b| b.test_since.is_some());
            match token {
                Token::Sign('#') if self.is_cfg_test() => {
                    test_since = Some(line);
                    self.at += 7;
                    continue;
                }
                Token::Sign('{') => {
                    let is_module = module_name.is_some();
                    self.module.extend(module_name.take());
                    blocks.push(Block {
                        is_module,
                        test_since: test_since.take(),
                    });
                }
                Token::Sign('}') => {
                    if let Some(block) = blocks.pop() {
                        if block.is_module {
                            self.module.pop();
                        }
                        if let Some(since) = block.test_since {
                            self.tests.push((since, line));
                        }
                    }
                }
                Token::Sign(';') => {
                    if let Some(name) = module_name.take().filter(|_| test) {
                        self.test_modules
                            .push(self.module.iter().cloned().chain([name]).collect());
                    }
                    test_since = None;
                }
                Token::Word(word) if word == "mod" => {
                    if let Some((Token::Word(name), _)) = self.tokens.get(self.at + 1) {
                        module_name = Some(name.clone());
                    }
                }
                Token::Word(word) if self.begins_path() => {
                    let root = match word.as_str() {
                        "crate" => vec!["crate".to_owned()],
                        "self" => self.absolute(0),
                        "super" => self.absolute(1),
                        _ => vec![word],
                    };
                    self.at += 2;
                    self.tree(root, test);
                    continue;
                }
                Token::Word(_) | Token::Then | Token::Sign(_) | Token::Literal => {}
            }
            self.at += 1;
        }
    }

    fn absolute(&self, up: usize) -> Vec<String> {
        let keep = self.module.len().saturating_sub(up);
        std::iter::once("crate".to_owned())
            .chain(self.module[..keep].iter().cloned())
            .collect()
    }

    fn is_cfg_test(&self) -> bool {
        let words = ["#", "[", "cfg", "(", "test", ")", "]"];
        words
            .iter()
            .enumerate()
            .all(|(i, word)| match self.tokens.get(self.at + i) {
                Some((Token::Word(w), _)) => w == word,
                Some((Token::Sign(c), _)) => word.len() == 1 && word.starts_with(*c),
                Some((Token::Then | Token::Literal, _)) | None => false,
            })
    }

    /// A word that is followed by `::` and not preceded by it.
    fn begins_path(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|i| self.tokens.get(i));
        !matches!(before, Some((Token::Then, _)))
            && matches!(self.tokens.get(self.at + 1), Some((Token::Then, _)))
    }

    /// What follows a `::`.
    fn tree(&mut self, prefix: Vec<String>, test: bool) {
        let Some((token, line)) = self.tokens.get(self.at).cloned() else {
            return;
        };
        match token {
            Token::Sign('{') => {
                self.at += 1;
                while let Some((token, _)) = self.tokens.get(self.at).cloned() {
                    match token {
                        Token::Sign('}') => {
                            self.at += 1;
                            break;
                        }
                        Token::Sign(',') => self.at += 1,
                        Token::Word(_) | Token::Then | Token::Sign(_) | Token::Literal => {
                            self.tree(prefix.clone(), test)
                        }
                    }
                }
            }
            Token::Word(word) => {
                self.at += 1;
                let mut path = prefix;
                match word.as_str() {
                    "as" => self.at += 1,
                    "self" => self.named.push(Named { path, line, test }),
                    "super" if path.len() > 1 => {
                        path.pop();
                        self.rest(path, line, test);
                    }
                    _ => {
                        path.push(word);
                        self.rest(path, line, test);
                    }
                }
            }
            Token::Sign('*') => {
                self.at += 1;
                self.named.push(Named {
                    path: prefix,
                    line,
                    test,
                });
            }
            // A turbofish: the path ends here.
            Token::Then | Token::Sign(_) | Token::Literal => {
                self.at += 1;
                self.named.push(Named {
                    path: prefix,
                    line,
                    test,
                });
            }
        }
    }

    fn rest(&mut self, path: Vec<String>, line: usize, test: bool) {
        if matches!(self.tokens.get(self.at), Some((Token::Then, _))) {
            self.at += 1;
            self.tree(path, test);
        } else {
            self.named.push(Named { path, line, test });
        }
    }
}

fn tokens(text: &str) -> Vec<(Token, usize)> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let next = chars.get(at + 1).copied();
        let start = at;
        let token = match (c, next) {
            ('/', Some('/')) => {
                while at < chars.len() && chars[at] != '\n' {
                    at += 1;
                }
                None
            }
            ('/', Some('*')) => {
                let mut depth = 0;
                while at < chars.len() {
                    match (chars[at], chars.get(at + 1)) {
                        ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
                        ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
                        _ => at += 1,
                    }
                    if depth == 0 {
                        break;
                    }
                }
                None
            }
            ('"', _) => {
                at = after_string(&chars, at);
                Some(Token::Literal)
            }
            ('\'', Some('\\')) => {
                at += 3;
                while chars.get(at).is_some_and(|c| *c != '\'') {
                    at += 1;
                }
                at += 1;
                Some(Token::Literal)
            }
            ('\'', _) if chars.get(at + 2) == Some(&'\'') => {
                at += 3;
                Some(Token::Literal)
            }
            (':', Some(':')) => {
                at += 2;
                Some(Token::Then)
            }
            _ if c.is_alphanumeric() || c == '_' => {
                while chars
                    .get(at)
                    .is_some_and(|c| c.is_alphanumeric() || *c == '_')
                {
                    at += 1;
                }
                let word: String = chars[start..at].iter().collect();
                let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
                let quoted = chars.get(at + hashes) == Some(&'"');
                if matches!(word.as_str(), "r" | "br" | "cr") && quoted {
                    at = after_raw_string(&chars, at, hashes);
                    Some(Token::Literal)
                } else if matches!(word.as_str(), "b" | "c") && quoted && hashes == 0 {
                    at = after_string(&chars, at);
                    Some(Token::Literal)
                } else if word.starts_with(|c: char| c.is_ascii_digit()) {
                    Some(Token::Literal)
                } else {
                    Some(Token::Word(word))
                }
            }
            _ => {
                at += 1;
                (!c.is_whitespace()).then_some(Token::Sign(c))
            }
        };
        found.extend(token.map(|token| (token, line)));
        line += chars[start..at.min(chars.len())]
            .iter()
            .filter(|c| **c == '\n')
            .count();
    }
    found
}

/// The position after a string that opens at `at`.
fn after_string(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while let Some(c) = chars.get(at) {
        at += match c {
            '\\' => 2,
            '"' => return at + 1,
            _ => 1,
        };
    }
    at
}

/// The position after a raw string whose hashes begin at `at`.
fn after_raw_string(chars: &[char], mut at: usize, hashes: usize) -> usize {
    at += hashes + 1;
    while at < chars.len() {
        if chars[at] == '"'
            && chars[at + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes
        {
            return at + 1 + hashes;
        }
        at += 1;
    }
    at
}
