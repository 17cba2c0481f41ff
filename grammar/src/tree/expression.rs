//! Expressions, strings and commands.

use super::{Name, Text};
use crate::span::Span;

/// The number of an expression in its [`File`](super::File).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExprId(pub u32);

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// All of it.
    pub span: Span,
}

/// What an expression says.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `42`
    Int(i64),
    /// `0.1`
    Float(f64),
    /// `1h30m`, in milliseconds
    Duration(u64),
    /// `128MiB`, in bytes
    Size(u64),
    /// `"demo:#{tag}"`
    String {
        /// Texts and holes, in order.
        pieces: Box<[Piece]>,
        /// How it is written.
        style: StringStyle,
    },
    /// `image`
    Name(Text),
    /// `[1, ...more, x if c]`
    List(Box<[Element]>),
    /// `[s for s in services if s.port > 80]`
    Comprehension {
        /// The item.
        item: ExprId,
        /// The variables and their lists, outermost first.
        loops: Box<[(Name, ExprId)]>,
        /// Which are left.
        condition: Option<ExprId>,
    },
    /// `{ a: 1, b.c: 2, ...base }`
    Record(Box<[Field]>),
    /// `docker.push(image, also: "latest")`
    Call {
        /// What is called.
        callee: ExprId,
        /// With what.
        arguments: Box<[Argument]>,
        /// `(` to `)`.
        parens: Span,
    },
    /// `push.pushed`
    Member {
        /// What has it.
        base: ExprId,
        /// Its name.
        name: Name,
    },
    /// `xs[0]`
    Index {
        /// What is looked into.
        base: ExprId,
        /// Where.
        index: ExprId,
    },
    /// `not x`, `-x`
    Unary {
        /// Which.
        op: UnaryOp,
        /// Of what.
        operand: ExprId,
    },
    /// `a + b`
    Binary {
        /// Which.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// Left side.
        left: ExprId,
        /// Right side.
        right: ExprId,
    },
    /// `if a then b else c`
    If {
        /// A bool.
        condition: ExprId,
        /// When it holds.
        then: ExprId,
        /// When it does not.
        otherwise: ExprId,
    },
    /// `$(git describe)`
    Capture(Command),
    /// `fail "…"`, on the right of `??`
    Fail(ExprId),
    /// `(a + b)`
    Group(ExprId),
    /// Could not be read; a diagnostic says why.
    Broken,
}

/// How a string is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StringStyle {
    /// `"…"`
    Plain,
    /// `'…'`
    Raw,
    /// `"""…"""`
    Block,
}

/// A piece of a string: text without escapes, or a hole.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Text, as the value holds it. Where its length is the span's, byte `n` of the text is byte
    /// `n` of the span.
    Text(Text, Span),
    /// `#{expression}`; the span holds the marks too.
    Hole(ExprId, Span),
}

/// The shell's text with holes.
#[derive(Clone, Debug)]
pub struct Command {
    /// Texts and holes, in order.
    pub parts: Box<[CommandPart]>,
    /// From the first character of the shell's text to its last.
    pub span: Span,
}

/// A part of a command.
#[derive(Clone, Debug)]
pub enum CommandPart {
    /// What the shell reads. Where its length is the span's, byte `n` of the text is byte `n` of
    /// the span.
    Text(Text, Span),
    /// `#{expression}`; the span holds the marks too.
    Hole(ExprId, Span),
}

/// An item of a list as written.
#[derive(Clone, Copy, Debug)]
pub enum Element {
    /// `x`
    Item(ExprId),
    /// `x if condition`
    If(ExprId, ExprId),
    /// `...xs`
    Spread(ExprId),
}

/// A part of a key: `container`, `"odd.key"`.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its text.
    pub text: Text,
    /// Where it stands, with its quotes.
    pub span: Span,
}

/// A field of a record as written.
#[derive(Clone, Debug)]
pub enum Field {
    /// `a.b: 1`
    Pair {
        /// `a`, `b`; at least one.
        path: Box<[Key]>,
        /// Its value.
        value: ExprId,
    },
    /// `image` for `image: image`; the value is the name.
    Short {
        /// The name.
        name: Name,
        /// The expression made of it.
        value: ExprId,
    },
    /// `...base`
    Spread(ExprId),
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Argument {
    /// `tag:`
    pub name: Option<Name>,
    /// Its value.
    pub value: ExprId,
}

/// An operator with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Negate,
}

/// An operator between two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "`symbol` tells what each is")]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Matches,
    Range,
    Add,
    Subtract,
    Multiply,
    Divide,
    Otherwise,
}

impl BinaryOp {
    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Matches => "matches",
            Self::Range => "..",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Otherwise => "??",
        }
    }

    /// The operator that is written so.
    #[must_use]
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        use BinaryOp::{
            Add, And, Divide, Equal, Greater, GreaterEqual, In, Less, LessEqual, Matches, Multiply,
            NotEqual, Or, Otherwise, Range, Subtract,
        };
        [
            Or,
            And,
            Equal,
            NotEqual,
            Less,
            LessEqual,
            Greater,
            GreaterEqual,
            In,
            Matches,
            Range,
            Add,
            Subtract,
            Multiply,
            Divide,
            Otherwise,
        ]
        .into_iter()
        .find(|op| op.symbol() == symbol)
    }

    /// How tightly it binds; a greater number binds tighter. `not` stands between `and` and the
    /// comparisons, `-x` above all.
    #[must_use]
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::In
            | Self::Matches => 4,
            Self::Range => 5,
            Self::Add | Self::Subtract => 6,
            Self::Multiply | Self::Divide => 7,
            Self::Otherwise => 8,
        }
    }
}
