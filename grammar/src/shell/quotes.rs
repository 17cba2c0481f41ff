//! `'…'`, `"…"` and the backslash.

use super::machine::{Machine, Quote};
use super::refusal::{Construct, RefusalKind};
use super::scan::Context;
use super::template::HOLE;

impl Machine<'_> {
    /// `'…'` from the current place on, with the holes in it.
    pub(super) fn single(&mut self) {
        let open = self.at;
        if let Some(word) = self.word() {
            word.quoted = true;
        }
        self.at += 1;
        while let Some(byte) = self.byte() {
            match byte {
                b'\'' => {
                    self.at += 1;
                    return;
                }
                HOLE => self.hole(Context::Single),
                _ => {
                    self.literal(byte, true);
                    self.at += 1;
                }
            }
        }
        self.stop(RefusalKind::Unterminated(Construct::SingleQuotes), open, open + 1);
    }

    /// One step inside `"…"`.
    pub(super) fn double(&mut self) {
        let Some(byte) = self.byte() else { return };
        match byte {
            b'"' => {
                self.close();
                self.at += 1;
            }
            HOLE => {
                let dollar = matches!(self.quote_mut(), Some(Quote::Double { dollar: true, .. }));
                self.hole(Context::Double);
                if dollar {
                    let index = self.scan.holes.len() - 1;
                    self.refuse_hole(RefusalKind::DollarQuotes, index);
                }
            }
            b'\\' => self.escape(Context::Double),
            b'$' => self.dollar(),
            b'`' => self.backquotes(),
            _ => {
                self.literal(byte, true);
                self.at += 1;
            }
        }
    }

    /// A backslash and what it protects.
    pub(super) fn escape(&mut self, context: Context) {
        let from = self.at;
        match self.template.at(from + 1) {
            Some(b'\n') => self.at += 2,
            Some(HOLE) => {
                self.at += 1;
                self.hole(context);
                let index = self.scan.holes.len() - 1;
                self.refuse_hole(RefusalKind::BackslashBefore, index);
            }
            Some(byte) => {
                if let Some(word) = self.word() {
                    word.quoted = true;
                    word.byte(byte, true);
                }
                self.at += 2;
            }
            None => {
                self.literal(b'\\', true);
                self.at += 1;
            }
        }
    }
}
