/* A device that fails at every possible moment of a short answer: the answer
 * is what it is without faults, and nothing is left behind (the validation
 * layers complain about objects that outlive their device). */
#include "backend/pair-private.h"
#include "backend/vulkan/fault.h"
#include "device.h"
#include "session/model.h"

#include <string.h>

#define TOKENS 3

static const gint32 prompt_ids[] = { 2, 45, 300, 77, 512, 9, 123, 88, 401 };

/* Layers that the processor has from the start. */
static int split;

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
  for (int k = 0; k < FACET_VK_N_FAULTS; k++)
    facet_vk_fault_arm ((FacetVkFault) k, 0);
  model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  ((FacetPair *) model->backend)->at_least = split;
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

static int
check (FacetVkFault kind, int nth, const GArray *expected, FacetNotice wanted, const char *prefix)
{
  g_autofree char *backend = NULL;
  FacetNotice notice;
  g_autoptr (GArray) found = answer (kind, nth, &notice, &backend);
  int count = facet_vk_fault_count (kind);

  g_assert_cmpmem (found->data, found->len * sizeof (gint32), expected->data, expected->len * sizeof (gint32));
  if (count >= ABS (nth)) {
    g_assert_cmpint (notice, ==, wanted);
    g_assert_true (g_str_has_prefix (backend, prefix));
  }
  return count;
}

static void
test_kind (FacetVkFault kind)
{
  gboolean memory = kind == FACET_VK_FAULT_ALLOCATE;
  g_autofree char *backend = NULL;
  FacetNotice notice;
  g_autoptr (GArray) expected = answer (kind, 0, &notice, &backend);
  int calls = facet_vk_fault_count (kind);

  g_assert_cmpint (notice, ==, split > 0 ? FACET_NOTICE_SPLIT : FACET_NOTICE_NONE);
  g_assert_true (g_str_has_prefix (backend, "vulkan"));
  g_assert_cmpint (calls, >=, 3);
  g_test_message ("%d calls", calls);
  for (int nth = 1; nth <= calls; nth++) {
    /* Once: with fewer layers the device goes on, and so does a lost one opened anew. */
    check (kind, nth, expected, memory || split > 0 ? FACET_NOTICE_SPLIT : FACET_NOTICE_NONE, "vulkan");
    check (kind, -nth, expected, memory ? FACET_NOTICE_CPU_INSTEAD : FACET_NOTICE_DEVICE_LOST, "cpu");
  }
}

static void
test_whole (gconstpointer data)
{
  split = 0;
  test_kind ((FacetVkFault) GPOINTER_TO_INT (data));
}

static void
test_divided (gconstpointer data)
{
  split = 4;
  test_kind ((FacetVkFault) GPOINTER_TO_INT (data));
}

/* Pages that the driver refuses are copied instead: nobody need know. */
static void
test_import (void)
{
  g_autofree char *backend = NULL;
  FacetNotice notice;
  g_autoptr (GArray) expected = answer (FACET_VK_FAULT_IMPORT, 0, &notice, &backend);
  int calls = facet_vk_fault_count (FACET_VK_FAULT_IMPORT);

  if (calls == 0) {
    g_test_skip ("the device imports no memory");
    return;
  }
  for (int nth = 1; nth <= calls; nth++) {
    check (FACET_VK_FAULT_IMPORT, nth, expected, FACET_NOTICE_NONE, "vulkan");
    check (FACET_VK_FAULT_IMPORT, -nth, expected, FACET_NOTICE_NONE, "vulkan");
  }
}

int
main (int argc, char **argv)
{
  static const struct { const char *name; FacetVkFault kind; } kinds[] = {
    { "allocate", FACET_VK_FAULT_ALLOCATE }, { "submit", FACET_VK_FAULT_SUBMIT }, { "wait", FACET_VK_FAULT_WAIT },
  };

  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
    g_autofree char *whole = g_strdup_printf ("/faults/%s/whole", kinds[k].name), *divided = g_strdup_printf ("/faults/%s/divided", kinds[k].name);

    g_test_add_data_func (whole, GINT_TO_POINTER (kinds[k].kind), test_whole);
    g_test_add_data_func (divided, GINT_TO_POINTER (kinds[k].kind), test_divided);
  }
  g_test_add_func ("/faults/import", test_import);
  return g_test_run ();
}
