//! Signatures as the reference writes them: on one line where they fit, else a parameter a line.

use pipe_stdlib::core::{Parameter, RecordType, Signature, Type, write_value};

/// The signature of what is called `name`, broken where it is wider than `width`.
pub(super) fn written(name: &str, signature: &Signature, width: usize) -> String {
    let one_line = signature.written(name);
    let Some(parameters) = &signature.parameters else { return one_line };
    if one_line.chars().count() <= width || parameters.is_empty() {
        return one_line;
    }
    let parameters: Vec<String> =
        parameters.iter().map(|parameter| format!("  {},\n", self::parameter(parameter))).collect();
    let result = match &signature.result {
        Type::Nothing => String::new(),
        result => format!(" -> {result}"),
    };
    let broken = format!("{name}(\n{}){result}", parameters.concat());
    let last = broken.lines().last().unwrap_or_default().chars().count();
    match (last > width, fields_of(&signature.result)) {
        (true, Some((record, mark))) => {
            format!("{name}(\n{}) -> {}{mark}", parameters.concat(), fields(record, width))
        }
        _ => broken,
    }
}

fn fields_of(ty: &Type) -> Option<(&RecordType, &'static str)> {
    match ty {
        Type::Record(record) if record.name.is_none() => Some((record, "")),
        Type::Optional(inner) => match &**inner {
            Type::Record(record) if record.name.is_none() => Some((record, "?")),
            _ => None,
        },
        _ => None,
    }
}

/// `image: string`, `also: texts = []`
pub(super) fn parameter(parameter: &Parameter) -> String {
    let default =
        parameter.default.as_ref().map_or(String::new(), |v| format!(" = {}", write_value(v)));
    format!("{}: {}{default}", parameter.name, parameter.ty)
}

/// `{ reference: string, … }`, broken where it is wider than `width`.
pub(super) fn fields(record: &RecordType, width: usize) -> String {
    let fields: Vec<String> = record
        .fields
        .iter()
        .map(|field| {
            let mark = if field.optional { "?" } else { "" };
            let ty = if field.optional { field.ty.required() } else { field.ty.clone() };
            let default =
                field.default.as_ref().map_or(String::new(), |v| format!(" = {}", write_value(v)));
            format!("{}{mark}: {ty}{default}", field.name)
        })
        .collect();
    let one_line = format!("{{ {} }}", fields.join(", "));
    if one_line.chars().count() <= width {
        return one_line;
    }
    let fields: Vec<String> = fields.iter().map(|field| format!("  {field},\n")).collect();
    format!("{{\n{}}}", fields.concat())
}
