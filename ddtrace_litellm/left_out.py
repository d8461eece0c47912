"""The entry points of LiteLLM that are not traced on purpose, and why.

A function has the shortest name that LiteLLM gives it, without ``litellm.``. A name stands for the asynchronous twin
too, which has an ``a`` before it, and a function's for the Router's method of that name.
"""

from types import MappingProxyType

_NAMES = MappingProxyType(
    {
        "keeps or looks up what a provider stores, and asks no model": """
            create_file file_content file_delete file_list file_retrieve
            vector_stores.create vector_stores.main.delete vector_stores.main.list vector_stores.main.retrieve
            vector_stores.main.update Router.vector_store_create Router.vector_store_delete Router.vector_store_list
            Router.vector_store_retrieve Router.vector_store_update
            vector_store_file_content vector_store_file_create vector_store_file_delete vector_store_file_list
            vector_store_file_retrieve vector_store_file_update
            create_container delete_container list_containers retrieve_container
            list_container_files upload_container_file containers.endpoint_factory.upload_container_file
            containers.delete_container_file containers.list_container_files containers.retrieve_container_file
            containers.retrieve_container_file_content Router.delete_container_file Router.retrieve_container_file
            Router.retrieve_container_file_content
            create_skill delete_skill get_skill list_skills
            create_agent delete_agent get_agent list_agents list_agent_versions
            Router.create_assistants Router.delete_assistant Router.get_assistants Router.create_thread
            Router.get_thread Router.get_messages Router.a_add_message
            get_responses delete_responses cancel_responses list_input_items
            interactions.cancel interactions.delete interactions.get Router.cancel_interaction
            Router.delete_interaction Router.get_interaction
            video_content video_create_character video_get_character video_list video_status
        """,
        "starts or follows a job that the provider runs later; each look at it would count its cost again": """
            create_batch retrieve_batch list_batches Router.cancel_batch
            create_fine_tuning_job retrieve_fine_tuning_job cancel_fine_tuning_job Router.list_fine_tuning_jobs
            create_eval cancel_eval delete_eval get_eval list_evals evals.update_eval
            create_run cancel_run delete_run get_run list_runs
            Router.run_thread
        """,
        "opens or is a session, in which many requests and answers pass": """
            _arealtime _aresponses_websocket create_realtime_client_secret create_realtime_transcription_session
            create_realtime_translation_client_secret realtime_calls realtime_translation_calls
        """,
        "is made of calls that are traced one by one": """
            Router.adapter_completion Router.adapter_generate_content Router.call
            a2a_protocol.send_message proxy.mcp_server.operations.call_mcp_tool
            proxy.mcp_server.server.call_mcp_tool proxy._experimental.mcp_server.operations.call_mcp_tool
            proxy._experimental.mcp_server.server.call_mcp_tool
        """,
        "makes a place for code to run, or runs a guardrail, and asks no model itself": """
            create_sandbox delete_sandbox Router.guardrail
        """,
        "is part of how the Router works, and asks no provider": """
            Router.apply Router.count_realtime_session_success Router.deployment_callback_on_success
            Router.get_model_group_io_token_usage Router.get_model_group_usage Router.get_remaining_model_group_usage
            Router.increment_deployment_usage_for_response Router.make_call Router.priority_header_update
            Router.recover_stream Router.refresh_model_info Router.repin_after_success Router.report_stream_failure
            Router.report_stream_success Router.retry_stream Router.select Router.set_response_headers
        """,
    }
)

REASONS = MappingProxyType({name: reason for reason, names in _NAMES.items() for name in names.split()})
"""Why each of them is not traced."""
