/* JupyterLab's part of the course: the tiles of the launcher, and the button Validate.

   Written as JupyterLab loads it (a container of webpack's module federation), so that it needs
   no build: JupyterLab calls init() with the modules that it shares, then get(). */
(() => {
  const MORE = "Hidden tests check more, once your work is handed in.";
  let shared;

  const take = async (name) => {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  };

  const icon = (LabIcon) =>
    new LabIcon({
      name: "cnn-course:net",
      svgstr:
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24">' +
        '<g fill="none" stroke="#d55e00" stroke-width="1.5">' +
        '<path d="M3 3h12v12H3zM7 3v12M11 3v12M3 7h12M3 11h12"/></g>' +
        '<path fill="#0072b2" d="M13 13h8v8h-8z"/></svg>',
    });

  /* The messages of the tests, as a list; all of it as text, never as HTML. */
  const report = (value) => {
    const node = document.createElement("div");
    const add = (parent, tag, text) => {
      const child = parent.appendChild(document.createElement(tag));
      child.textContent = text;
      return child;
    };
    const passed = value.tests.filter((test) => test.passed).length;
    add(node, "p", `${passed} of ${value.tests.length} visible tests passed.`);
    const list = add(node, "ul", "");
    list.style.paddingLeft = "1.2em";
    for (const test of value.tests) {
      const item = add(list, "li", "");
      item.style.listStyle = test.passed ? '"✓ "' : '"✗ "';
      add(item, "code", test.name);
      const messages = [test.message, test.changed ? "This test was changed: it is restored when your work is graded." : ""];
      const text = messages.filter(Boolean).join(" ");
      if (text) add(item, "span", `: ${text}`);
    }
    for (const note of value.notes) add(node, "p", note);
    return node;
  };

  const plugins = async () => {
    const [{ ILauncher }, { INotebookTracker }, apputils, coreutils, services, ui, widgets] =
      await Promise.all(
        [
          "@jupyterlab/launcher",
          "@jupyterlab/notebook",
          "@jupyterlab/apputils",
          "@jupyterlab/coreutils",
          "@jupyterlab/services",
          "@jupyterlab/ui-components",
          "@lumino/widgets",
        ].map(take)
      );

    const validate = async (context) => {
      await context.save();
      const settings = services.ServerConnection.makeSettings();
      const response = await services.ServerConnection.makeRequest(
        coreutils.URLExt.join(settings.baseUrl, "assignments/validate"),
        { method: "POST", body: JSON.stringify({ path: context.path }) },
        settings
      );
      if (!response.ok) throw new Error(`the server responded with status ${response.status}`);
      const found = await response.json();
      if (!found.success) throw new Error(found.value);
      return report(found.value);
    };

    const show = (title, node) =>
      apputils.showDialog({
        title,
        body: new widgets.Widget({ node }),
        buttons: [apputils.Dialog.okButton()],
      });

    const words = (text) => Object.assign(document.createElement("p"), { textContent: text });

    const button = (context) => {
      const made = new ui.ToolbarButton({
        className: "course-validate",
        label: "Validate",
        tooltip: `Run this notebook from the top and see the results of its tests. ${MORE}`,
        onClick: async () => {
          made.enabled = false;
          const busy = apputils.Notification.emit("Validating: your notebook runs from the top.", "in-progress", { autoClose: false });
          try {
            const node = await validate(context);
            apputils.Notification.dismiss(busy);
            show("Test results", node);
          } catch (error) {
            apputils.Notification.dismiss(busy);
            show("Validate could not run", words(error.message));
          } finally {
            made.enabled = true;
          }
        },
      });
      return made;
    };

    return [
      {
        id: "cnn-course:tiles",
        autoStart: true,
        requires: [ILauncher],
        activate: (app, launcher) => {
          app.commands.addCommand("course:start", {
            label: "Start the course",
            caption: "The list of lessons: fetch one, hand it in, read your marks",
            icon: icon(ui.LabIcon),
            execute: () => app.commands.execute("nbgrader:open-assignment-list"),
          });
          launcher.add({ command: "course:start", category: "Notebook", rank: -2 });
          const grading = coreutils.PageConfig.getOption("courseGrading");
          if (!grading) return;
          app.commands.addCommand("course:grade", {
            label: "Grade the course",
            caption: "The formgrader, in a tab of its own",
            icon: icon(ui.LabIcon),
            execute: () => window.open(grading, "_blank", "noopener"),
          });
          launcher.add({ command: "course:grade", category: "Notebook", rank: -1 });
        },
      },
      {
        id: "cnn-course:validate",
        autoStart: true,
        requires: [INotebookTracker],
        activate: (app) => {
          app.docRegistry.addWidgetExtension("Notebook", {
            createNew: (panel, context) => {
              const made = button(context);
              panel.toolbar.insertItem(10, "validate", made);
              return made;
            },
          });
        },
      },
    ];
  };

  (window._JUPYTERLAB ??= {})["cnn-course"] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const made = await plugins();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
