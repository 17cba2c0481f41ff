//! Operators between values that are there.

use std::{cmp::Ordering, time::Duration};

use pipe_grammar::tree::BinaryOp;
use pipe_stdlib::core::{Glob, Secret, Value, describe};

type Result = std::result::Result<Value, String>;

const OVERFLOW: &str = "the result does not fit 64 bits";

/// `-x`
pub(super) fn negate(value: &Value) -> Result {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or_else(|| OVERFLOW.to_owned()),
        Value::Float(value) => Ok(Value::Float(-value)),
        other => Err(format!("`-` takes a number, not {}", describe(other))),
    }
}

/// `a op b`, for all operators that look at both sides.
pub(super) fn binary(op: BinaryOp, a: &Value, b: &Value) -> Result {
    match op {
        BinaryOp::Equal => Ok(Value::Bool(equal(a, b))),
        BinaryOp::NotEqual => Ok(Value::Bool(!equal(a, b))),
        BinaryOp::Less => ordered(a, b, Ordering::is_lt),
        BinaryOp::LessEqual => ordered(a, b, Ordering::is_le),
        BinaryOp::Greater => ordered(a, b, Ordering::is_gt),
        BinaryOp::GreaterEqual => ordered(a, b, Ordering::is_ge),
        BinaryOp::In => contained(a, b),
        BinaryOp::Matches => matches(a, b),
        BinaryOp::Range => range(a, b),
        BinaryOp::Add => add(a, b),
        BinaryOp::Subtract => subtract(a, b),
        BinaryOp::Multiply => multiply(a, b),
        BinaryOp::Divide => divide(a, b),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Otherwise => {
            Err("not an operator of values".into())
        }
    }
}

fn wrong(symbol: &str, a: &Value, b: &Value) -> String {
    format!("`{symbol}` can't take {} and {}", describe(a), describe(b))
}

#[expect(clippy::cast_precision_loss, reason = "an int meets a float as one")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => {
            number(a) == number(b)
        }
        (a, b) if a.as_str().is_some() => a.as_str() == b.as_str(),
        (a, b) => a == b,
    }
}

fn ordered(a: &Value, b: &Value, holds: fn(Ordering) -> bool) -> Result {
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Size(a), Value::Size(b)) => Some(a.cmp(b)),
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => a.as_str().zip(b.as_str()).map(|(a, b)| a.cmp(b)),
        },
    };
    match order {
        Some(order) => Ok(Value::Bool(holds(order))),
        None => Err(wrong("<", a, b)),
    }
}

fn contained(a: &Value, b: &Value) -> Result {
    match b {
        Value::List(items) => Ok(Value::Bool(items.iter().any(|item| equal(a, item)))),
        Value::Record(fields) => {
            Ok(Value::Bool(a.as_str().is_some_and(|key| fields.contains_key(key))))
        }
        _ => Err(wrong("in", a, b)),
    }
}

/// False for null.
fn matches(a: &Value, b: &Value) -> Result {
    let Some(text) = a.as_str() else { return Ok(Value::Bool(false)) };
    let pattern = b.as_str().unwrap_or("");
    Ok(Value::Bool(Glob::new(pattern)?.matches(text)))
}

/// Both ends included.
fn range(a: &Value, b: &Value) -> Result {
    const MOST: i64 = 1_000_000;
    match (a, b) {
        (Value::Int(a), Value::Int(b)) if b.saturating_sub(*a) >= MOST => {
            Err(format!("the range has more than {MOST} numbers"))
        }
        (Value::Int(a), Value::Int(b)) => Ok(Value::list((*a..=*b).map(Value::Int))),
        _ => Err(wrong("..", a, b)),
    }
}

fn add(a: &Value, b: &Value) -> Result {
    let overflow = || OVERFLOW.to_owned();
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Duration(a), Value::Duration(b)) => {
            a.checked_add(*b).map(Value::Duration).ok_or_else(overflow)
        }
        (Value::Size(a), Value::Size(b)) => a.checked_add(*b).map(Value::Size).ok_or_else(overflow),
        (Value::List(a), Value::List(b)) => Ok(Value::list(a.iter().chain(b.iter()).cloned())),
        (Value::Secret(_), _) | (_, Value::Secret(_)) => match (revealed(a), revealed(b)) {
            (Some(a), Some(b)) => Ok(Value::Secret(Secret::new(format!("{a}{b}")))),
            _ => Err(wrong("+", a, b)),
        },
        (a, b) => match (a.as_str(), b.as_str(), number(a), number(b)) {
            (Some(a), Some(b), ..) => Ok(format!("{a}{b}").into()),
            (_, _, Some(a), Some(b)) => Ok(Value::Float(a + b)),
            _ => Err(wrong("+", a, b)),
        },
    }
}

fn revealed(value: &Value) -> Option<&str> {
    match value {
        Value::Secret(secret) => Some(secret.reveal()),
        other => other.as_str(),
    }
}

fn subtract(a: &Value, b: &Value) -> Result {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => {
            a.checked_sub(*b).map(Value::Int).ok_or_else(|| OVERFLOW.to_owned())
        }
        (Value::Duration(a), Value::Duration(b)) => a
            .checked_sub(*b)
            .map(Value::Duration)
            .ok_or_else(|| "the duration would be negative".into()),
        (Value::Size(a), Value::Size(b)) => {
            a.checked_sub(*b).map(Value::Size).ok_or_else(|| "the size would be negative".into())
        }
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => Ok(Value::Float(a - b)),
            _ => Err(wrong("-", a, b)),
        },
    }
}

fn multiply(a: &Value, b: &Value) -> Result {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => {
            a.checked_mul(*b).map(Value::Int).ok_or_else(|| OVERFLOW.to_owned())
        }
        (Value::Duration(span), factor) | (factor, Value::Duration(span))
            if number(factor).is_some() =>
        {
            let seconds = span.as_secs_f64() * number(factor).unwrap_or(0.0);
            Duration::try_from_secs_f64(seconds)
                .map(Value::Duration)
                .map_err(|_| "the duration would be negative or too long".into())
        }
        (Value::Size(bytes), factor) | (factor, Value::Size(bytes)) if number(factor).is_some() => {
            scale(*bytes, number(factor).unwrap_or(0.0))
        }
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => Ok(Value::Float(a * b)),
            _ => Err(wrong("*", a, b)),
        },
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn scale(bytes: u64, factor: f64) -> Result {
    let scaled = bytes as f64 * factor;
    // 2^64: the first float that does not fit.
    if (0.0..18_446_744_073_709_551_616.0).contains(&scaled) {
        Ok(Value::Size(scaled as u64))
    } else {
        Err("the size would be negative or too big".into())
    }
}

fn divide(a: &Value, b: &Value) -> Result {
    match (number(a), number(b)) {
        (Some(_), Some(0.0)) => Err("nothing can be divided by 0".into()),
        (Some(a), Some(b)) => Ok(Value::Float(a / b)),
        _ => Err(wrong("/", a, b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_wrap() {
        let max = Value::Int(i64::MAX);
        assert_eq!(binary(BinaryOp::Add, &max, &Value::Int(1)), Err(OVERFLOW.into()));
        assert_eq!(
            binary(BinaryOp::Add, &Value::Int(1), &Value::Float(0.5)),
            Ok(Value::Float(1.5))
        );
        assert!(binary(BinaryOp::Divide, &max, &Value::Int(0)).is_err());
    }

    #[test]
    fn durations_multiply_by_numbers() {
        let minute = Value::Duration(Duration::from_secs(60));
        let twice = binary(BinaryOp::Multiply, &Value::Int(2), &minute);
        assert_eq!(twice, Ok(Value::Duration(Duration::from_secs(120))));
        assert!(binary(BinaryOp::Multiply, &Value::Int(-1), &minute).is_err());
    }

    #[test]
    fn a_secret_spreads() {
        let secret = Value::Secret(Secret::new("x"));
        assert!(
            matches!(binary(BinaryOp::Add, &"a".into(), &secret), Ok(Value::Secret(s)) if s.reveal() == "ax")
        );
    }

    #[test]
    fn null_matches_nothing() {
        assert_eq!(binary(BinaryOp::Matches, &Value::Null, &"*".into()), Ok(Value::Bool(false)));
        assert_eq!(binary(BinaryOp::Matches, &"v1".into(), &"v*".into()), Ok(Value::Bool(true)));
    }
}
