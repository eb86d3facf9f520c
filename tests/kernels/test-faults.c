/* A device that fails at every possible moment of a short answer: the answer
 * is what it is without faults, and nothing is left behind (the validation
 * layers complain about objects that outlive their device). */
#include "backend/pair-private.h"
#include "backend/vulkan/fault.h"
#include "backend/vulkan/loader.h"
#include "device.h"
#include "session/model.h"

#include <string.h>

#define TOKENS 3

/* Two chunks. */
static const gint32 prompt_ids[] = { 2, 45, 300, 77, 512, 9, 123, 88 };

/* Layers that the processor has from the start. */
static int split;

/* Without faults: the answer, and the calls that could have failed. */
static GArray *expected;
static int calls[FACET_VK_N_FAULTS];

static void
count_anew (void)
{
  for (int kind = 0; kind < FACET_VK_N_FAULTS; kind++)
    facet_vk_fault_arm ((FacetVkFault) kind, 0);
}

/* Ids of the greedy answer; @notice is what the person is told. */
static GArray *
answer (FacetVkFault kind, int nth, FacetNotice *notice, char **backend)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma3-tiny/text-q4_0.gguf", NULL);
  FacetModelParams params = { .threads = 1 };
  FacetSessionParams shape = { .context = 64, .chunk = 4 };
  /* A penalty that raises logits wants whole rows: those are brought from the device, too. */
  FacetReplyParams reply_params = { .sampling.repeat_penalty = 0.9f, .max_tokens = TOKENS, .endless = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = NULL;
  g_autoptr (FacetSession) session = NULL;
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_auto (FacetReply) reply = { NULL };

  device_params (&params);
  count_anew ();
  model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  ((FacetPair *) model->backend)->at_least = split;
  count_anew ();
  facet_vk_fault_arm (kind, nth);
  session = facet_session_new (model, &shape, &error);
  g_assert_no_error (error);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, prompt_ids, G_N_ELEMENTS (prompt_ids));
  g_assert_true (facet_session_reply (session, prompt, &reply_params, &reply, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (reply.ids->len, ==, TOKENS);
  *notice = facet_model_take_notice (model);
  g_assert_cmpint (facet_model_take_notice (model), ==, FACET_NOTICE_NONE);
  *backend = g_strdup (facet_model_backend_name (model));
  return g_steal_pointer (&reply.ids);
}

/* What happens without faults where the processor has @layers from the start. */
static void
settle (int layers)
{
  g_autofree char *backend = NULL;
  FacetNotice notice;

  if (expected != NULL && split == layers)
    return;
  g_clear_pointer (&expected, g_array_unref);
  split = layers;
  expected = answer (FACET_VK_FAULT_ALLOCATE, 0, &notice, &backend);
  g_assert_cmpint (notice, ==, split > 0 ? FACET_NOTICE_SPLIT : FACET_NOTICE_NONE);
  g_assert_true (g_str_has_prefix (backend, "vulkan"));
  for (int kind = 0; kind < FACET_VK_N_FAULTS; kind++)
    calls[kind] = facet_vk_fault_count ((FacetVkFault) kind);
}

static void
check (FacetVkFault kind, int nth, FacetNotice wanted, const char *prefix)
{
  g_autofree char *backend = NULL;
  FacetNotice notice;
  g_autoptr (GArray) found = answer (kind, nth, &notice, &backend);

  g_assert_cmpmem (found->data, found->len * sizeof (gint32), expected->data, expected->len * sizeof (gint32));
  if (facet_vk_fault_count (kind) >= ABS (nth)) {
    g_assert_cmpint (notice, ==, wanted);
    g_assert_true (g_str_has_prefix (backend, prefix));
  }
}

static void
test_kind (FacetVkFault kind, int layers)
{
  gboolean memory = kind == FACET_VK_FAULT_ALLOCATE;

  settle (layers);
  g_assert_cmpint (calls[kind], >=, 3);
  g_test_message ("%d calls", calls[kind]);
  for (int nth = 1; nth <= calls[kind]; nth++) {
    /* Once: with fewer layers the device goes on, and so does a lost one opened anew. */
    check (kind, nth, memory || split > 0 ? FACET_NOTICE_SPLIT : FACET_NOTICE_NONE, "vulkan");
    check (kind, -nth, memory ? FACET_NOTICE_CPU_INSTEAD : FACET_NOTICE_DEVICE_LOST, "cpu");
  }
}

static void
test_whole (gconstpointer data)
{
  test_kind ((FacetVkFault) GPOINTER_TO_INT (data), 0);
}

static void
test_divided (gconstpointer data)
{
  test_kind ((FacetVkFault) GPOINTER_TO_INT (data), 4);
}

/* Pages that the driver refuses are copied instead: nobody need know. */
static void
test_import (void)
{
  settle (0);
  if (calls[FACET_VK_FAULT_IMPORT] == 0) {
    g_test_skip ("the device imports no memory");
    return;
  }
  for (int nth = 1; nth <= calls[FACET_VK_FAULT_IMPORT]; nth++) {
    check (FACET_VK_FAULT_IMPORT, nth, FACET_NOTICE_NONE, "vulkan");
    check (FACET_VK_FAULT_IMPORT, -nth, FACET_NOTICE_NONE, "vulkan");
  }
}

int
main (int argc, char **argv)
{
  static const struct { const char *name; FacetVkFault kind; } kinds[] = {
    { "allocate", FACET_VK_FAULT_ALLOCATE }, { "submit", FACET_VK_FAULT_SUBMIT }, { "wait", FACET_VK_FAULT_WAIT },
  };
  g_autoptr (GError) error = NULL;
  FacetVkInstance drivers;
  int status;

  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  /* While an instance is there the drivers stay loaded; else each device would load them anew. */
  facet_vk_instance_open (&drivers, &error);
  g_assert_no_error (error);
  g_test_add_func ("/faults/whole/import", test_import);
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
    g_autofree char *whole = g_strdup_printf ("/faults/whole/%s", kinds[k].name), *divided = g_strdup_printf ("/faults/divided/%s", kinds[k].name);

    g_test_add_data_func (whole, GINT_TO_POINTER (kinds[k].kind), test_whole);
    g_test_add_data_func (divided, GINT_TO_POINTER (kinds[k].kind), test_divided);
  }
  status = g_test_run ();
  g_clear_pointer (&expected, g_array_unref);
  facet_vk_instance_close (&drivers);
  return status;
}
