/* facet-journal.h - finished pieces of a transcript, safe on disk
 *
 * A text file: a line that names the sound and what listened to it, then a
 * line for each piece. Each piece is on disk before the next one is begun, so
 * that a crash loses one piece at most. A file of another sound, model or
 * number of pieces starts anew; a last line that was cut short is left out.
 * Only its owner may read it.
 *
 * Opening one removes others ("*.journal") of its folder that nobody came back
 * to: those untouched for 30 days, and the oldest if there are more than 50.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct FacetJournal FacetJournal;

/* Makes the file's folder if need be. */
FacetJournal *facet_journal_open   (const char *path, const char *sound, const char *key, guint pieces, GError **error);
void          facet_journal_close  (FacetJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetJournal, facet_journal_close)

/* The text of @piece, NULL if it is not known yet, and whether the model
 * repeated itself there or did not come to an end. */
const char   *facet_journal_get    (FacetJournal *journal, guint piece, gboolean *doubtful);
gboolean      facet_journal_add    (FacetJournal *journal, guint piece, const char *text, gboolean doubtful, GError **error);

/* Removes the file, if there is one. */
void          facet_journal_forget (const char *path);

/* Where the journal of a sound lies unless something else is said: in the
 * person's state folder, by content. Returns: (transfer full). */
char         *facet_journal_path   (const char *sound, const char *key);

G_END_DECLS
