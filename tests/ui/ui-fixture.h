/* ui-fixture.h - a window over a script, in a data folder of its own */
#pragma once

#include "script-backend.h"
#include "window/facet-window-private.h"

typedef struct {
  char               *folder;
  const FacetEngineBackend *backend; /* the engine itself, or NULL */
  Script              script;
  GSettings          *settings;
  FacetStore         *store;
  FacetEngineService *service;
  FacetModelLibrary  *library;
  FacetWindow        *window;
} Fixture;

/* GTK in English, the tests, libadwaita and the program's own style. Returns
 * FALSE, and says that the program is skipped, where there is no display. */
gboolean   fixture_start     (int *argc, char ***argv);

/* @data: path of a model for the engine itself, or NULL for the script. The
 * model is loaded when this returns. */
void       fixture_set_up    (Fixture *self, gconstpointer data);
void       fixture_tear_down (Fixture *self, gconstpointer data);

/* Runs the main loop until @condition says so; fails after five
 * seconds, with a real model after two minutes. */
void       fixture_wait      (gboolean (*condition) (Fixture *self), Fixture *self);
gboolean   fixture_idle      (Fixture *self);
gboolean   fixture_not_asking (Fixture *self);

/* The last message of the chat that is shown. */
FacetMessage *fixture_last   (Fixture *self);

/* What is attached to the message that is being written; the list keeps it. */
guint            fixture_n_attached (Fixture *self);
FacetAttachment *fixture_attached   (Fixture *self, guint i);
/* Whether there is something, and all of it was looked at. */
gboolean         fixture_looked_at  (Fixture *self);

/* Types @text and sends it. */
void       fixture_ask       (Fixture *self, const char *text);

/* Likewise, and returns once it is answered and shown. */
void       fixture_ask_and_wait (Fixture *self, const char *text);

/* "word0 word1 …", @n of them in paragraphs. Returns: (transfer full). */
char      *fixture_words     (guint n);

/* Writes a picture into the folder of FACET_SCREENSHOTS, if that is set. */
void       fixture_picture   (Fixture *self, const char *name);

/* What this thread has computed, in microseconds: a busy machine is not the
 * window's fault. Bounds on it are wider by a factor where a sanitizer slows it. */
gint64     fixture_thread_time (void);

#ifdef __SANITIZE_ADDRESS__
#define FIXTURE_SLOWED 8
#else
#define FIXTURE_SLOWED 1
#endif
