/* A machine whose kernel has a graphics device, but which lacks the loader or a
 * driver for it: the processor computes, which is no failure and no notice. */
#include "backend/vulkan/fault.h"
#include "backend/vulkan/loader.h"
#include "backend/vulkan/vulkan.h"
#include "session/model.h"

static FacetModel *
load (FacetBackendKind kind, int device, GError **error)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma3-tiny/text-q8_0.gguf", NULL);
  FacetModelParams params = { .backend = kind, .device = device, .threads = 1 };

  return facet_model_load (path, &params, error);
}

static void
check_answer (FacetModel *model)
{
  static const gint32 ids[] = { 2, 45, 300 };
  FacetSessionParams shape = { .context = 64 };
  FacetReplyParams params = { .max_tokens = 2, .endless = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetSession) session = facet_session_new (model, &shape, &error);
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_auto (FacetReply) reply = { NULL };

  g_assert_no_error (error);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, ids, G_N_ELEMENTS (ids));
  g_assert_true (facet_session_reply (session, prompt, &params, &reply, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (reply.ids->len, ==, 2);
}

static void
check (const char *why)
{
  g_autofree char *why_none = NULL, *text = facet_devices_describe ();
  g_autoptr (GPtrArray) devices = facet_vulkan_devices (&why_none);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetModel) model = load (FACET_BACKEND_AUTO, 0, &error);

  g_assert_no_error (error);
  g_assert_cmpint (facet_model_take_notice (model), ==, FACET_NOTICE_NONE);
  g_assert_true (g_str_has_prefix (facet_model_backend_name (model), "cpu ("));
  check_answer (model);
  g_assert_cmpuint (devices->len, ==, 0);
  g_assert_cmpstr (why_none, ==, why);
  g_assert_nonnull (strstr (text, why));
  for (int device = 0; device < 2; device++) {
    g_assert_null (load (FACET_BACKEND_VULKAN, device, &error));
    g_assert_error (error, FACET_ERROR, FACET_ERROR_DEVICE);
    g_assert_cmpstr (error->message, ==, why);
    g_clear_error (&error);
  }
}

static void
test_no_loader (void)
{
  facet_vk_fault_swap_loader ("libvulkan-that-is-not-there.so.1");
  check (FACET_VK_NO_LOADER);
}

static void
test_not_a_loader (void)
{
  facet_vk_fault_swap_loader ("libm.so.6");
  check (FACET_VK_NO_LOADER);
}

static void
test_no_driver (void)
{
  FacetVkInstance instance;

  facet_vk_fault_swap_loader (NULL);
  if (!facet_vk_instance_open (&instance, NULL)) {
    g_test_skip ("there is no loader or no driver that could be hidden");
    return;
  }
  facet_vk_instance_close (&instance);
  g_setenv ("VK_ICD_FILENAMES", "/nonexistent.json", TRUE);
  g_setenv ("VK_DRIVER_FILES", "/nonexistent.json", TRUE);
  check (FACET_VK_NO_DRIVER);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  facet_vk_pretend_kernel_device (TRUE);
  g_test_add_func ("/no-device/no-loader", test_no_loader);
  g_test_add_func ("/no-device/not-a-loader", test_not_a_loader);
  g_test_add_func ("/no-device/no-driver", test_no_driver);
  return g_test_run ();
}
