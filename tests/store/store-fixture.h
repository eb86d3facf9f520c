/* store-fixture.h - a store in a folder of its own */
#pragma once

#include "facet-store.h"

typedef struct {
  char       *directory;
  FacetStore *store;
} Fixture;

void          fixture_set_up    (Fixture *self, gconstpointer data);
void          fixture_tear_down (Fixture *self, gconstpointer data);

/* Closes; asserts that no connection is left, as the last one writes the log back. */
void          fixture_close     (Fixture *self);

/* Opens for writing. The thread of a task that was answered may hold on to
 * the store for a moment: waits for that. */
FacetStore   *fixture_open      (const char *directory, FacetStoreRecovery *recovery);

/* Closes and opens again. */
void          fixture_reopen    (Fixture *self, FacetStoreRecovery *recovery);

/* Adds a message that is done; asserts success. */
gint64        fixture_say       (Fixture *self, gint64 chat, gint64 parent, FacetStoreRole role, const char *text);

/* The texts of the branch, joined by "|". */
char         *fixture_branch    (Fixture *self, gint64 chat);

/* Runs the main loop until the call is answered. Data: GAsyncResult **. */
void          fixture_answer_cb (GObject *source, GAsyncResult *result, gpointer data);
GAsyncResult *fixture_wait      (GAsyncResult **result);

#define ADD(name, func) g_test_add ("/store/" name, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
