/* facet-answer-editor.h - the text of an answer, to be corrected where it stands
 *
 * Signals: "save" (const char *: the new text, never empty and never what it
 * was), "cancel", "changed" (const char *: the text so far). Ctrl+Enter saves, Escape cancels; saving what was not
 * changed cancels, too.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define FACET_TYPE_ANSWER_EDITOR (facet_answer_editor_get_type ())
G_DECLARE_FINAL_TYPE (FacetAnswerEditor, facet_answer_editor, FACET, ANSWER_EDITOR, GtkBox)

/* Markdown, shown as it is written: what the answer says, and what is made of
 * it so far. */
GtkWidget *facet_answer_editor_new (const char *original, const char *text);

G_END_DECLS
