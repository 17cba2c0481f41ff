//! `connect`: where built-ins go and as whom.

use pipe_grammar::{
    Code, Diagnostic,
    diagnostic::did_you_mean,
    tree::{Connect, ExprKind, ItemKind},
};
use pipe_stdlib::connect::{CONNECTORS, connector};

use super::{Checker, Connection, Place};

impl Checker<'_> {
    /// Collects the connections, so that calls through their names are known.
    pub(super) fn connections(&mut self) {
        let file = self.file;
        for item in &file.items {
            if let ItemKind::Connect(connect) = &item.kind {
                self.connection(connect);
            }
        }
    }

    fn connection(&mut self, connect: &Connect) {
        let file = self.file;
        let span = self.span(connect.call);
        let (name, arguments) = match &file.expr(connect.call).kind {
            ExprKind::Call { callee, arguments, .. } => match &file.expr(*callee).kind {
                ExprKind::Name(name) => (name, arguments),
                _ => return self.report(no_connection(span)),
            },
            ExprKind::Broken => return,
            _ => return self.report(no_connection(span)),
        };
        let Some(connector) = connector(name) else {
            let names = CONNECTORS.iter().map(|c| c.name);
            let all: Vec<&str> = names.clone().collect();
            return self.report(
                Diagnostic::error(
                    Code::UNKNOWN_FUNCTION,
                    span,
                    format!("nothing can be connected to by `{name}`"),
                )
                .help_if(did_you_mean(name, names))
                .help(format!("there are: {}", all.join(", "))),
            );
        };
        let user = format!("connect {}", self.checked.connections.len()).into();
        let place = Place { user: Some(user), ..Place::default() };
        let full = format!("connect {name}");
        self.within(place, |this| {
            this.arguments(connect.call, &full, connector.signature(), arguments);
        });
        self.check_alias(connect, connector.takes_alias, connector.name);
        if !connector.takes_alias {
            self.same_place(connect, connector.name);
        }
        self.checked.connections.push(Connection {
            connector,
            alias: connect.alias.as_ref().map(|name| name.text.clone()),
            call: connect.call,
        });
    }

    /// Two connections of a kind that is chosen by the place.
    fn same_place(&mut self, connect: &Connect, kind: &str) {
        let place = |this: &Self, call| match &this.file.expr(call).kind {
            ExprKind::Call { arguments, .. } => {
                let first = arguments.first().filter(|argument| argument.name.is_none())?;
                this.plain(first.value).map(|text| (text, this.span(first.value)))
            }
            _ => None,
        };
        let Some((text, span)) = place(self, connect.call) else { return };
        let same = self.checked.connections.iter().filter(|c| c.connector.name == kind);
        let first = same.filter_map(|c| place(self, c.call)).find(|(other, _)| *other == text);
        if let Some((_, first)) = first {
            self.report(
                Diagnostic::error(
                    Code::DUPLICATE_NAME,
                    span,
                    format!("two connections go to `{text}`"),
                )
                .label("the second one")
                .also(first, "the first one")
                .help("remove one: the host of a reference says which is meant"),
            );
        }
    }

    fn check_alias(&mut self, connect: &Connect, takes_alias: bool, kind: &str) {
        if let Some(alias) = &connect.alias {
            if !takes_alias {
                return self.report(
                    Diagnostic::error(
                        Code::MISPLACED,
                        alias.span,
                        "a docker connection takes no name",
                    )
                    .label("not here")
                    .help("a reference is sent to the connection with its host"),
                );
            }
            if let Some(global) = self.global(&alias.text) {
                let what = format!("`{}` is taken by a {}", alias.text, global.kind.noun());
                let problem = Diagnostic::error(Code::DUPLICATE_NAME, alias.span, what)
                    .also(global.span, "the first one");
                return self.report(problem);
            }
        } else if !takes_alias {
            return;
        }
        let alias = connect.alias.as_ref().map(|name| name.text.clone());
        let same = self
            .checked
            .connections
            .iter()
            .find(|c| c.connector.name == kind && c.alias == alias)
            .map(|c| self.span(c.call));
        if let Some(first) = same {
            let span = connect.alias.as_ref().map_or(self.span(connect.call), |name| name.span);
            let what = match alias {
                Some(name) => format!("two connections are called `{name}`"),
                None => format!("two connections are the default of `{kind}`"),
            };
            self.report(
                Diagnostic::error(Code::DUPLICATE_NAME, span, what)
                    .label("the second one")
                    .also(first, "the first one")
                    .help(format!("give one a name: `connect {kind}(…) as production`, then `production.deploy(…)`")),
            );
        }
    }
}

fn no_connection(span: pipe_grammar::Span) -> Diagnostic {
    Diagnostic::error(Code::SYNTAX, span, "`connect` takes a call")
        .help("write `connect marathon(\"https://…\")` or `connect docker(\"docker.io\", …)`")
}
