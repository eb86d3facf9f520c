/* facet-mode.h - what the assistant is asked to do, and the words for it
 *
 * A mode wraps the person's words in a template, which may be the person's own
 * (key "mode-templates"). The placeholders {text}, {language}, {style} and
 * {audience} are replaced; everything else is taken as it is.
 *
 * A message remembers its mode as one string, "translate;language=German".
 *
 * Knows nothing of GTK: both programs share it. Thread-safety: safe.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  const char *id;       /* as in the settings: "chat", "describe", ... */
  const char *title;    /* untranslated; N_() with context "assistant mode" */
  const char *template; /* untranslated; a prompt is no UI string */
  const char *spoken;   /* the same where a recording is given; NULL: template */
  gboolean    needs_eyes;
  gboolean    needs_ears;
  gboolean    judges;   /* pictures by policies (facet-policy.h): the one mode of safety models, and theirs alone */
} FacetMode;

/* Ends with a NULL id; the first is the plain chat. */
extern const FacetMode facet_modes[];

/* @id: a mode or a message's mode string. Unknown and NULL: the first. */
const FacetMode *facet_mode_find   (const char *id);

/* The template in use. @settings may be NULL: there is none.
 * Returns: (transfer full) */
char            *facet_mode_get_template (const FacetMode *mode, GSettings *settings);

/* The mode's own one is used again with NULL or "". */
void             facet_mode_set_template (const FacetMode *mode, GSettings *settings, const char *template);

/* Whether the template in use has @hole, such as "{language}". */
gboolean         facet_mode_takes  (const FacetMode *mode, GSettings *settings, const char *hole);

/* The choice as it is stored with a message; language, style, audience and
 * policies come from @settings. Returns: (transfer full) */
char            *facet_mode_choice (const FacetMode *mode, GSettings *settings);

/* What a message's @choice says of @name, such as "language"; "" if nothing.
 * Returns: (transfer full) */
char            *facet_mode_choice_value (const char *choice, const char *name);

/* What the model is given for @text, by the message's @choice; the template is
 * the person's own if there is one. @settings may be NULL: there is none.
 * Returns: (transfer full) */
char            *facet_mode_render (const char *choice, const char *text, GSettings *settings);

/* The same for words that go with a recording; @text may be "".
 * Returns: (transfer full) */
char            *facet_mode_render_spoken (const char *choice, const char *text, GSettings *settings);

/* For a text that is put in later, perhaps in parts: what facet_mode_render()
 * puts before and after it; with a template that has no place for a text, it
 * comes last. */
void             facet_mode_render_around (const char *choice, GSettings *settings, char **before, char **after);

/* How the contents of a text file stand in a prompt, under its name.
 * Returns: (transfer full) */
char            *facet_mode_quote_file (const char *name, const char *contents, gssize length);

G_END_DECLS
