/* facet-window.h - the window: list of chats beside the conversation
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <adwaita.h>

#include "chat/facet-replier.h"
#include "library/facet-model-library.h"

G_BEGIN_DECLS

#define FACET_TYPE_WINDOW (facet_window_get_type ())
G_DECLARE_FINAL_TYPE (FacetWindow, facet_window, FACET, WINDOW, AdwApplicationWindow)

FacetWindow *facet_window_new       (GtkApplication     *application,
                                     FacetStore         *store,
                                     FacetEngineService *service,
                                     FacetModelLibrary  *library,
                                     GSettings          *settings);

/* Files from the command line or "Open With" become attachments. */
void         facet_window_attach    (FacetWindow *self, GFile *file);

/* Shows @sentence for a moment. Any text, never markup. */
void         facet_window_say       (FacetWindow *self, const char *sentence);

/* Shows @sentence until the person has dismissed it. Any text, never markup. */
void         facet_window_tell      (FacetWindow *self, const char *sentence);

void         facet_window_open_chat (FacetWindow *self, gint64 chat_id);

G_END_DECLS
