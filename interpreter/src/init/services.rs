//! Stages for a repository with several images: an instance for each.

use pipe_stdlib::core::quote;

use super::{
    deploy::call_build,
    docker::{Image, repository},
    name,
    writer::Writer,
};

impl Writer<'_> {
    /// Several images in folders of their own: a stage with an instance for each.
    pub(super) fn images(&mut self, images: &[Image]) {
        // Those that are built alike go together; the others are told of.
        let own = images.iter().filter(|image| image.own_context).count() * 2 >= images.len();
        let (alike, other): (Vec<&Image>, Vec<&Image>) =
            images.iter().partition(|image| image.own_context == own);
        self.draft.left.extend(other.iter().map(|image| {
            format!("{}/Dockerfile: it is built from another folder than the others", image.folder)
        }));
        let named =
            alike.iter().flat_map(|image| &image.apps).filter_map(|app| app.image.as_deref());
        let group =
            named.map(repository).find_map(|name| name.rsplit_once('/')).map(|(g, _)| g.to_owned());
        let placeholder = format!("registry.example.com/{}", self.survey.name);
        let group = group.unwrap_or_else(|| {
            self.draft.next.push(format!("change `{placeholder}`: where the images go"));
            placeholder
        });
        self.connect(&format!("{group}/x"));
        let name_of =
            |image: &Image| name::slug(image.folder.rsplit('/').next().unwrap_or(&image.folder));
        let services = alike.iter().map(|image| {
            format!("  {{ name: {}, folder: {} }},\n", quote(&name_of(image)), quote(&image.folder))
        });
        self.head.push_str("# What this repository makes images of.\n");
        self.head.push_str("type Service = { name: string, folder: path }\n\n");
        self.head.push_str(&format!(
            "let services: list<Service> = [\n{}]\n\n",
            services.collect::<String>()
        ));
        self.head.push_str(&format!(
            "fn image_of(service: Service) -> string {{\n  return \"{group}/#{{service.name}}:#{{{}}}\"\n}}\n",
            self.version()
        ));
        let Some(first) = alike.first() else { return };
        let build = call_build(
            "service.folder",
            first,
            "\"#{service.folder}/Dockerfile\"",
            "image_of(service)",
        );
        let each = "for service in services".to_owned();
        let build = self.stage(
            "build",
            Some("\"Build #{service.name}\""),
            std::slice::from_ref(&each),
            &format!("  {build}\n"),
        );
        let mut clauses = vec![each];
        clauses.extend(self.on_main());
        clauses.push("keep_going".to_owned());
        let deployed = alike
            .iter()
            .filter(|image| image.apps.iter().any(|app| app.path.ends_with("/marathon.json")))
            .count();
        self.verbs.push("build");
        let push = if deployed == alike.len() {
            self.verbs.push("deploy");
            let body = "  let pushed = docker.push(image_of(service))\n  marathon.deploy(\"#{service.folder}/marathon.json\",\n    with: { container.docker.image: pushed.reference })\n";
            self.stage("deploy", Some("\"Deploy #{service.name}\""), &clauses, body)
        } else {
            self.verbs.push("push");
            let apps = alike.iter().flat_map(|image| &image.apps);
            let left: Vec<String> = apps
                .map(|app| format!("{}: not every service has one beside its Dockerfile", app.path))
                .collect();
            self.draft.left.extend(left);
            self.stage(
                "push",
                Some("\"Push #{service.name}\""),
                &clauses,
                "  docker.push(image_of(service))\n",
            )
        };
        for image in &alike {
            let what = if deployed == alike.len() { "deploys" } else { "pushes" };
            let so =
                format!("stage `{build}` builds `{group}/{}`, `{push}` {what} it", name_of(image));
            self.found(&format!("{}/Dockerfile", image.folder), so);
        }
    }
}
