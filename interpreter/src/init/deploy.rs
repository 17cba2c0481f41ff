//! Stages that build, push and deploy.

use pipe_stdlib::core::quote;

use super::{
    app::App,
    docker::{Image, repository},
    name,
    writer::Writer,
};

impl Writer<'_> {
    /// One image: built, pushed, and deployed where an app runs it.
    pub(super) fn one_image(&mut self, image: &Image) {
        let apps: Vec<&App> = self.survey.apps.iter().chain(&image.apps).collect();
        let own = apps.iter().filter_map(|app| app.image.as_deref()).map(repository);
        // A name without a slash is one of Docker's own images, which nobody here pushes.
        let named = own.clone().find(|name| name.contains('/')).map(str::to_owned);
        let jenkins = self.survey.jenkins.as_ref().and_then(|jenkins| jenkins.image.clone());
        let jenkins = jenkins.filter(|name| name.contains('/'));
        let found = named.or(jenkins);
        let placeholder = format!("registry.example.com/{}", self.survey.name);
        let repo = found.clone().unwrap_or_else(|| placeholder.clone());
        self.connect(&repo);
        if found.is_none() {
            self.head.push_str("# TODO: the name of your image.\n");
            self.draft.next.push(format!("change `{placeholder}`: where the image goes"));
        }
        self.head.push_str(&format!("let image = \"{repo}:#{{{}}}\"\n", self.version()));
        let file = if image.folder.is_empty() {
            "Dockerfile".to_owned()
        } else {
            format!("{}/Dockerfile", image.folder)
        };
        let build = call_build(&quoted_folder(image), image, &quote(&file), "image");
        let name = self.stage("build", None, &[], &format!("  {build}\n"));
        let read = if apps.is_empty() { "" } else { "output pushed = " };
        let push = format!("  {read}docker.push(image)\n");
        let push = self.stage("push", None, &self.on_main(), &push);
        let so = format!("stage `{name}` builds `{repo}`, `{push}` pushes it");
        self.found(&file, so);
        self.verbs.extend(["build", "push"]);
        for app in apps {
            let image = app.image.as_deref().map(repository);
            let runs_it = image.is_some_and(|image| image == repo || !image.contains('/'));
            let with = if runs_it {
                format!(
                    "{}, with: {{ container.docker.image: {push}.pushed.reference }}",
                    quote(&app.path)
                )
            } else {
                quote(&app.path)
            };
            let docs = format!("# Skipped where `{push}` is.\n");
            let (docs, clauses) =
                if runs_it { (docs, Vec::new()) } else { (String::new(), self.on_main()) };
            self.deploy(app, &with, &docs, &clauses);
        }
    }

    /// Apps without an image of this repository.
    pub(super) fn apps(&mut self) {
        let apps = &self.survey.apps;
        if !apps.is_empty() {
            self.connect_marathon();
        }
        for app in apps {
            self.deploy(app, &quote(&app.path), "", &self.on_main());
        }
    }

    fn deploy(&mut self, app: &App, arguments: &str, docs: &str, clauses: &[String]) {
        let call = format!("marathon.deploy({arguments})");
        let call = if call.chars().count() > 96 {
            call.replacen(", with:", ",\n    with:", 1)
        } else {
            call
        };
        let wanted = if self.has_stage("deploy") {
            let id = app.id.as_deref().unwrap_or(&app.path);
            format!("deploy_{}", name::slug(id).replace('-', "_"))
        } else {
            "deploy".to_owned()
        };
        let name = self.stage(&wanted, None, clauses, &format!("  {call}\n"));
        self.document(docs);
        let what = match &app.id {
            Some(id) => format!("stage `{name}` deploys `{id}`"),
            None => format!("stage `{name}` deploys it, once it is valid JSON"),
        };
        self.found(&app.path, what);
        if !self.verbs.contains(&"deploy") {
            self.verbs.push("deploy");
        }
    }
}

fn quoted_folder(image: &Image) -> String {
    let folder = if image.folder.is_empty() { "." } else { &image.folder };
    quote(folder)
}

/// The call that builds an image, from its own folder or from the repository.
pub(super) fn call_build(folder: &str, image: &Image, dockerfile: &str, tag: &str) -> String {
    if image.own_context {
        format!("docker.build({folder}, tag: {tag})")
    } else {
        format!("docker.build(\".\", dockerfile: {dockerfile}, tag: {tag})")
    }
}
