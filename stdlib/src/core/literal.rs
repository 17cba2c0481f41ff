//! Expressions that are literals: defaults of fields and parameters.

use std::time::Duration;

use pipe_grammar::tree::{Element, ExprId, ExprKind, Field, File, Piece, UnaryOp};

use super::{Record, Value};

/// The value of an expression that only holds literals; nothing when it holds anything else.
#[must_use]
pub fn evaluate(file: &File, id: ExprId) -> Option<Value> {
    Some(match &file.expr(id).kind {
        ExprKind::Null => Value::Null,
        ExprKind::Bool(value) => Value::Bool(*value),
        ExprKind::Int(value) => Value::Int(*value),
        ExprKind::Float(value) => Value::Float(*value),
        ExprKind::Duration(millis) => Value::Duration(Duration::from_millis(*millis)),
        ExprKind::Size(bytes) => Value::Size(*bytes),
        ExprKind::Group(inner) => evaluate(file, *inner)?,
        ExprKind::Unary { op: UnaryOp::Negate, operand } => match evaluate(file, *operand)? {
            Value::Int(value) => Value::Int(value.checked_neg()?),
            Value::Float(value) => Value::Float(-value),
            _ => return None,
        },
        ExprKind::String { pieces, .. } => {
            let texts: Option<Vec<&str>> = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text, _) => Some(&**text),
                    Piece::Hole(..) => None,
                })
                .collect();
            Value::string(texts?.concat())
        }
        ExprKind::List(elements) => {
            let items: Option<Vec<Value>> = elements
                .iter()
                .map(|element| match element {
                    Element::Item(id) => evaluate(file, *id),
                    _ => None,
                })
                .collect();
            Value::list(items?)
        }
        ExprKind::Record(fields) => {
            let mut record = Record::new();
            for field in fields {
                let Field::Pair { path, value } = field else { return None };
                let keys: Vec<_> = path.iter().map(|key| key.text.clone()).collect();
                super::value::set_path(&mut record, &keys, evaluate(file, *value)?);
            }
            Value::Record(record.into())
        }
        _ => return None,
    })
}
